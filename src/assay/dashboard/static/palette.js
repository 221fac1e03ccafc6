// Ctrl or Cmd K: go to anything by some letters of its name. Pages and what can be done here are known
// at once; all else the page /find says, a moment after the last letter.
import { on } from "./keys.js";
import { places, remember } from "./places.js";
import { say } from "./saying.js";

const PAUSE_MS = 120;
const NOTHING = { rows: [], text: "", why: "" };
const UNKNOWN = "Nothing is called that: names are found by any part, ids of sessions, runs and events by how they begin.";
const SILENT = "The server does not answer, or this browser is signed out.";
let input, list, none;
let near = [];
let far = NOTHING;
let chosen = 0;
let timer = null;
let asked = null;
let isAwaited = false;

export function install() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  remember();
  [input, list, none] = ["input", "ul", "p"].map((tag) => palette.querySelector(tag));
  const open = () => {
    if (palette.open) return;
    input.value = "";
    search();
    palette.showModal();
  };
  on("palette", open);
  document.getElementById("find").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("input", search);
  input.addEventListener("keydown", pressed);
  palette.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) go(Number(item.dataset.index));
    else if (event.target === palette) palette.close();
  });
  palette.addEventListener("close", stop);
}

function pressed(event) {
  const count = near.length + far.rows.length;
  const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    if (count) choose((to + count) % count);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    // What was asked for and is not answered yet is waited for.
    if (count) go(chosen);
    else isAwaited = far.text !== input.value.trim();
  }
}

function search() {
  stop();
  const text = input.value.trim();
  const wanted = text.toLowerCase();
  const known = [...(text ? [] : places()), ...pages(), ...doings()];
  near = known.filter(({ word }) => word.toLowerCase().includes(wanted));
  far = text ? { ...NOTHING, text: null } : NOTHING;
  show(0);
  if (text) timer = setTimeout(() => ask(text), PAUSE_MS);
}

function stop() {
  clearTimeout(timer);
  asked?.abort();
  isAwaited = false;
}

async function ask(text) {
  asked = new AbortController();
  const url = new URL(document.getElementById("find").href);
  url.searchParams.set("q", text);
  let [rows, why] = [[], UNKNOWN];
  try {
    const answer = await fetch(url, { signal: asked.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    rows = [...page.getElementById("found").querySelectorAll("li:not([data-page]) a")].map((link) => ({
      word: link.textContent,
      href: link.getAttribute("href"),
      more: link.parentElement.querySelector("span").textContent,
      kind: link.parentElement.querySelector("small").textContent,
    }));
  } catch (error) {
    if (error.name === "AbortError") return;
    why = SILENT;
  }
  far = { rows, text, why };
  show(chosen);
  const count = near.length + rows.length;
  say(count ? `${count} found` : why);
  if (isAwaited) go(0);
}

function pages() {
  return [...document.querySelectorAll(".nav li a")].map((link) => {
    return { word: link.firstChild.textContent.trim(), href: link.href, kind: "page" };
  });
}

// What can be done on this page: what its own buttons do.
function doings() {
  const words = {
    theme: "Change the theme: light, dark, as the system says",
    live: "Pause live updates, or go on",
    "help-button": "Show the keys",
  };
  return Object.entries(words)
    .map(([id, word]) => ({ word, button: document.getElementById(id), kind: "action" }))
    .filter(({ button }) => button && !button.hidden);
}

function go(index) {
  const row = [...near, ...far.rows][index];
  if (!row) return;
  input.closest("dialog").close();
  if (row.href) location.href = row.href;
  else row.button.click();
}

function show(index) {
  const rows = [...near, ...far.rows];
  list.replaceChildren(...rows.map(option));
  list.hidden = rows.length === 0;
  none.hidden = rows.length > 0 || far.text === null;
  none.textContent = far.why;
  input.setAttribute("aria-expanded", String(rows.length > 0));
  choose(index);
}

function option({ word, more, kind }, index) {
  const item = document.createElement("li");
  item.id = `palette-${index}`;
  item.setAttribute("role", "option");
  item.dataset.index = String(index);
  for (const [tag, text] of [["bdi", word], ["span", more], ["small", kind]]) {
    const piece = document.createElement(tag);
    piece.textContent = text ?? "";
    item.append(piece, " ");
  }
  return item;
}

function choose(index) {
  chosen = index;
  input.removeAttribute("aria-activedescendant");
  for (const item of list.children) {
    const isChosen = Number(item.dataset.index) === index;
    item.setAttribute("aria-selected", String(isChosen));
    if (isChosen) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  }
}
