// Rows of lists: j and k move, Enter opens, Space or a click looks at the row in the docked panel.
// A row says data-key (what it is), data-href (its page) and data-peek (what the panel loads).
import { on, isTyping } from "./keys.js";
import { reveal } from "./copying.js";
import { renew } from "./times.js";

let at = null;

export function rows() {
  return [...document.querySelectorAll("tr[data-key]")];
}

export function install() {
  on("j", () => move(1));
  on("k", () => move(-1));
  on("ArrowDown", () => (isOpen() ? move(1) : false));
  on("ArrowUp", () => (isOpen() ? move(-1) : false));
  on(" ", () => (present() ? peek(present()) : false));
  on("Enter", () => (present()?.dataset.href ? (location.href = present().dataset.href) : false));
  on("Escape", close);
  document.addEventListener("click", clicked);
  document.addEventListener("htmx:after:swap", settled);
  document.addEventListener("htmx:error", failed);
  const query = new URLSearchParams(location.search);
  at = query.get("span") ?? query.get("peek");
  mark();
  grip();
  if (query.has("peek")) again();
}

// What an address says is open, also where its row has moved on to another page.
function again() {
  const one = present() ?? document.querySelector("tr[data-peek]");
  if (one?.dataset.peek) show(one.dataset.peek.replace(one.dataset.key, encodeURIComponent(at)));
}

function present() {
  return rows().find((row) => row.dataset.key === at);
}

function isOpen() {
  return !document.getElementById("panel").hidden;
}

function move(by) {
  const all = rows();
  if (all.length === 0) return false;
  const index = all.findIndex((row) => row.dataset.key === at);
  const next = all[index < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, index + by))];
  at = next.dataset.key;
  mark();
  next.scrollIntoView({ block: "nearest" });
  if (isOpen()) peek(next);
  return true;
}

export function mark() {
  for (const row of rows()) {
    const isAt = row.dataset.key === at;
    row.classList.toggle("at", isAt);
    if (isAt) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function clicked(event) {
  if (event.target.closest("[data-close-panel]")) {
    event.preventDefault();
    close();
    return;
  }
  const row = event.target.closest?.("tr[data-peek]");
  const isOther = event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!row || isOther || isTyping(event.target)) return;
  // A link leads on, but one that only looks at its row does so in the panel.
  const own = event.target.closest("a, button, summary");
  if (own && !own.matches("[data-look]")) return;
  if (own) event.preventDefault();
  if (String(getSelection())) return;
  at = row.dataset.key;
  mark();
  peek(row);
}

function peek(row) {
  if (!row.dataset.peek) return;
  keep(row.closest("[data-keep]")?.dataset.keep ?? "peek", row.dataset.key);
  show(row.dataset.peek);
}

// What was asked for before and has not come yet is given up: the panel shows what was chosen last.
export function show(fragment) {
  document.getElementById("panel").hidden = false;
  htmx.ajax("GET", fragment, { source: "#panel", target: "#panel", swap: "innerHTML" });
}

function settled() {
  const panel = document.getElementById("panel");
  // Nobody is signed in any more: the whole page leads to where that is done, and back.
  if (panel.querySelector('form[action="/sign-in"]')) return location.reload();
  reveal(panel);
  renew(panel);
  grip();
}

function failed() {
  const note = document.createElement("p");
  note.className = "note fail";
  note.setAttribute("role", "alert");
  note.textContent = "The server does not answer. Esc closes this; the row asks again.";
  document.getElementById("panel").replaceChildren(note);
}

function close() {
  const panel = document.getElementById("panel");
  if (panel.hidden) return false;
  panel.hidden = true;
  panel.replaceChildren();
  keep("peek", null);
  keep("span", null);
  return true;
}

// The URL says what is open, so that it can be shared and comes back with a reload.
export function keep(name, value) {
  const url = new URL(location.href);
  if (value === null) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  history.replaceState(history.state, "", url);
}

function grip() {
  const panel = document.getElementById("panel");
  const root = document.documentElement;
  try {
    const kept = Number(localStorage.getItem("assay-panel"));
    if (kept >= 300 && kept <= 1200) root.style.setProperty("--panel", `${kept}px`);
  } catch {
    // Without storage the width is the usual one.
  }
  if (panel.querySelector(":scope > .grip")) return;
  const bar = document.createElement("div");
  bar.className = "grip";
  panel.prepend(bar);
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    const resize = (moved) => root.style.setProperty("--panel", `${Math.max(300, innerWidth - moved.clientX)}px`);
    bar.addEventListener("pointermove", resize);
    bar.addEventListener(
      "pointerup",
      () => {
        bar.removeEventListener("pointermove", resize);
        try {
          localStorage.setItem("assay-panel", String(Math.round(panel.getBoundingClientRect().width)));
        } catch {
          // It then holds until the next page.
        }
      },
      { once: true },
    );
  });
}
