// Forms: empty filters stay out of the URL, and what can't be undone asks first.
export function install() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = form.dataset.confirm;
    if (question && !form.dataset.confirmed) {
      event.preventDefault();
      ask(form, question);
      return;
    }
    if (form.method === "get") {
      for (const field of form.elements) {
        if (field.name && !field.value && !field.disabled) {
          field.disabled = true;
          setTimeout(() => (field.disabled = false));
        }
      }
    }
  });
}

function ask(form, question) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", question);
  const text = document.createElement("p");
  text.textContent = question;
  const end = document.createElement("div");
  end.className = "end";
  const no = document.createElement("button");
  no.textContent = "Leave it";
  const yes = document.createElement("button");
  yes.textContent = form.dataset.confirmWord || "Do it";
  yes.className = "grave";
  end.append(no, yes);
  dialog.append(text, end);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    form.dataset.confirmed = "1";
    dialog.close();
    form.requestSubmit();
  });
  dialog.showModal();
  no.focus();
}
