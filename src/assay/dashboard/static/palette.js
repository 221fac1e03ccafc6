// Ctrl or Cmd K: go to a page by its name, to a run or event by its id, to what a name stands for.
import { on } from "./keys.js";

const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/i;
let found = [];
let chosen = 0;

export function install() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const input = palette.querySelector("input");
  on("palette", () => {
    input.value = "";
    search("");
    palette.showModal();
  });
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      choose((chosen + by + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter" && found[chosen]) {
      location.href = found[chosen].href;
    }
  });
  palette.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) location.href = found[Number(item.dataset.index)].href;
    else if (event.target === palette) palette.close();
  });
}

function search(text) {
  const wanted = text.trim().toLowerCase();
  const base = document.querySelector(".brand").getAttribute("href");
  found = [...document.querySelectorAll(".nav li a")]
    .map((link) => ({ word: link.firstChild.textContent.trim(), href: link.href }))
    .filter(({ word }) => word.toLowerCase().includes(wanted));
  if (ID.test(text.trim())) {
    const id = text.trim().toUpperCase();
    found.unshift({ word: `Run ${id}`, href: `${base}runs/${id}` }, { word: `Event ${id}`, href: `${base}events/${id}` });
  } else if (wanted) {
    const name = encodeURIComponent(text.trim());
    found.push(
      { word: `Runs of the function ${text.trim()}`, href: `${base}runs?function_id=${name}` },
      { word: `Events named ${text.trim()}`, href: `${base}events?name=${name}` },
    );
  }
  const list = document.getElementById("palette-list");
  list.replaceChildren(
    ...found.map(({ word }, index) => {
      const item = document.createElement("li");
      item.id = `palette-${index}`;
      item.setAttribute("role", "option");
      item.dataset.index = String(index);
      item.textContent = word;
      return item;
    }),
  );
  choose(0);
}

function choose(index) {
  chosen = index;
  const input = document.querySelector("#palette input");
  for (const item of document.querySelectorAll("#palette-list li")) {
    const isChosen = Number(item.dataset.index) === index;
    item.setAttribute("aria-selected", String(isChosen));
    if (isChosen) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  }
}
