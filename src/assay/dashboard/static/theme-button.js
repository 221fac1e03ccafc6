// Light, dark, or as the system says; kept on this machine.
const ORDER = ["auto", "light", "dark"];

export function install() {
  const button = document.getElementById("theme");
  if (!button) return;
  show(button);
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(present()) + 1) % ORDER.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("assay-theme", next);
    } catch {
      // It then holds for this page alone.
    }
    show(button);
  });
}

function present() {
  return document.documentElement.dataset.theme ?? "auto";
}

function show(button) {
  button.textContent = { auto: "◐ auto", light: "○ light", dark: "● dark" }[present()];
}
