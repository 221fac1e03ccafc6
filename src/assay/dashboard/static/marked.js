// Two runs to compare, from any two places: the first one is marked, Compare at the other leads to both.
// A link with data-compare names its run; c does so for the row that is chosen, or the page's own run.
import { on } from "./keys.js";
import { say } from "./saying.js";

export function install() {
  const query = new URLSearchParams(location.search);
  const isComparing = location.pathname === compare();
  if (isComparing && query.get("a") && query.get("b")) keep(null);
  const begun = document.querySelector("[data-marked]");
  if (begun) keep(begun.dataset.marked);
  on("c", () => {
    const row = document.querySelector('tr.at[data-href*="/runs/"]');
    const run = row?.dataset.key ?? document.querySelector("main [data-compare]")?.dataset.compare;
    if (!run) return false;
    const first = marked();
    if (first && first !== run) return lead(first, run);
    keep(first === run ? null : run);
    say(first === run ? "no run is marked" : "marked: c at another run compares the two");
    show();
    return true;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-compare]");
    const first = marked();
    if (!link || !first || first === link.dataset.compare || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    lead(first, link.dataset.compare);
  });
  if (!isComparing) show();
}

function lead(first, second) {
  location.href = `${compare()}?a=${first}&b=${second}`;
}

// Says which run is marked, wherever one goes.
function show() {
  document.getElementById("marked")?.remove();
  const run = marked();
  if (!run) return;
  const chip = document.createElement("span");
  chip.className = "chip";
  chip.id = "marked";
  const link = document.createElement("a");
  link.href = `${compare()}?a=${run}`;
  link.textContent = `Compare …${run.slice(-6)} with…`;
  const out = document.createElement("button");
  out.className = "plain";
  out.setAttribute("aria-label", "Compare no run");
  out.textContent = "✕";
  out.addEventListener("click", () => {
    keep(null);
    show();
  });
  chip.append(link, out);
  document.querySelector(".head .tools").prepend(chip);
}

function compare() {
  return `${document.querySelector(".brand").getAttribute("href")}runs/compare`;
}

function marked() {
  try {
    return sessionStorage.getItem(key());
  } catch {
    return null;
  }
}

function keep(run) {
  try {
    if (run) sessionStorage.setItem(key(), run);
    else sessionStorage.removeItem(key());
  } catch {
    // Without storage the two are put in by hand.
  }
}

function key() {
  return `assay-marked:${compare()}`;
}
