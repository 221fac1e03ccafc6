// One place that hears the keyboard. Others say which key does what: on("j", act).
const actions = new Map();
let prefix = "";

export function on(key, act) {
  actions.set(key, act);
}

export function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") !== null;
}

export function install() {
  for (const link of document.querySelectorAll("a[data-go]")) {
    on(`g ${link.dataset.go}`, () => link.click());
  }
  on("?", () => document.getElementById("help")?.showModal());
  on("/", () => document.querySelector("#filters input")?.focus());
  document.getElementById("help-button")?.addEventListener("click", () => actions.get("?")());
  document.addEventListener("keydown", hear);
}

function hear(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() === "k") run("palette", event);
    return;
  }
  const inside = document.querySelector("dialog[open]");
  if (isTyping(event.target)) {
    if (event.key === "Escape" && !inside) event.target.blur();
    return;
  }
  if (inside) return;
  const combined = prefix ? `${prefix} ${event.key}` : event.key;
  prefix = "";
  if (actions.has(combined)) run(combined, event);
  else if (event.key === "g") prefix = "g";
}

function run(name, event) {
  // Enter and Space on a link or button are that link's own.
  const isOwn = event.target.closest?.("a, button, summary") && (event.key === "Enter" || event.key === " ");
  if (isOwn || !actions.has(name)) return;
  if (actions.get(name)(event) !== false) event.preventDefault();
}
