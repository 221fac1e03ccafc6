// Forms: empty filters stay out of the URL, what can't be undone asks first, and a refusal stands in its form.
export function install() {
  refused();
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

// A form may be far down, or folded: what is wrong with it is said there, and its field has the focus.
function refused() {
  const note = document.getElementById("refusal");
  const name = note?.dataset.field?.split(/[.[\]]/).filter(Boolean).pop();
  const field = name && document.querySelector(`form[method=post] [name="${CSS.escape(name)}"]`);
  if (!field) return;
  for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  field.form.prepend(note);
  field.setAttribute("aria-describedby", note.id);
  field.setAttribute("aria-invalid", "true");
  field.focus();
  note.scrollIntoView({ block: "nearest" });
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
