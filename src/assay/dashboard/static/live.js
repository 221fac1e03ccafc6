// Live updates. The server says that something has changed; the page asks for itself anew and takes
// over what stands in [data-live-region] and in rows that are there already. Rows that are new wait
// behind a pill, and those that the filters have no more are struck out until then, so that nothing
// jumps under the cursor.
import { on } from "./keys.js";
import { mark, rows } from "./rows.js";
import { renew } from "./times.js";
import { say } from "./saying.js";

const AT_MOST_EVERY_MS = 1000;
const AGAIN_MS = 5000;
const SHOWN = {
  live: ["◉", "Pause or go on with live updates"],
  paused: ["◌", "Pause or go on with live updates"],
  "not live": ["◌", "The server does not answer, or this browser is signed out: it is asked again by itself"],
};
// What a list is not narrowed by.
const PLACES = ["peek", "span", "cursor", "days", "window", "limit"];
let source = null;
let isPaused = false;
let isAsking = false;
let isStale = false;
let waiting = null;

export function install() {
  const kinds = document.body.dataset.live;
  if (!kinds) return;
  const button = document.getElementById("live");
  button.hidden = false;
  button.addEventListener("click", toggle);
  on("p", toggle);
  document.getElementById("fresh").addEventListener("click", () => take(true));
  document.addEventListener("visibilitychange", connect);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  connect();
}

// A browser opens few connections to one host: a page that nobody sees gives its own back.
function connect() {
  if (document.hidden || isPaused) return disconnect();
  if (source) return;
  source = new EventSource(document.body.dataset.liveUrl);
  source.addEventListener("open", () => show("live"));
  source.addEventListener("error", lost);
  source.addEventListener("changed", (event) => {
    const wanted = document.body.dataset.live.split(" ");
    if (event.data.split(" ").some((kind) => wanted.includes(kind))) refresh();
  });
}

function disconnect() {
  source?.close();
  source = null;
}

// A browser asks a server that is away again by itself, but not one that answers something else, as
// it does where nobody is signed in any more.
function lost() {
  show("not live");
  if (source?.readyState !== EventSource.CLOSED) return;
  disconnect();
  setTimeout(connect, AGAIN_MS);
}

function show(word) {
  const button = document.getElementById("live");
  const text = button.querySelector("span");
  if (isPaused && word !== "paused") return;
  if (text.textContent === word) return;
  text.textContent = word;
  button.querySelector("i").textContent = SHOWN[word][0];
  button.title = SHOWN[word][1];
  button.classList.toggle("warn", word === "not live");
  say(word === "paused" ? "live updates paused" : word === "live" ? "live updates on" : "no connection: live updates wait");
}

function toggle() {
  isPaused = !isPaused;
  document.getElementById("live").setAttribute("aria-pressed", String(isPaused));
  show(isPaused ? "paused" : "live");
  connect();
  if (!isPaused) refresh();
}

async function refresh() {
  if (isAsking) {
    isStale = true;
    return;
  }
  isAsking = true;
  isStale = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !isPaused) {
      waiting = new DOMParser().parseFromString(await answer.text(), "text/html");
      // Where listening goes on from, should this page be hidden and come back.
      document.body.dataset.liveUrl = waiting.body.dataset.liveUrl ?? document.body.dataset.liveUrl;
      take(false);
    }
  } catch {
    // The server is away; its stream opens again when it is back, and asks for this once more.
  }
  setTimeout(() => {
    isAsking = false;
    if (isStale) refresh();
  }, AT_MOST_EVERY_MS);
}

function take(withNew) {
  if (!waiting) return;
  for (const region of document.querySelectorAll("[data-live-region]")) {
    const fresh = waiting.getElementById(region.id);
    if (fresh && !isHeld(region)) renewRegion(region, fresh);
  }
  const body = document.querySelector("tbody[data-live-rows]");
  const freshBody = waiting.querySelector("tbody[data-live-rows]");
  // A list that was empty, or is not any more, is another page.
  if (Boolean(body) !== Boolean(freshBody)) {
    if (!document.activeElement || document.activeElement === document.body) location.reload();
    return;
  }
  if (body) takeRows(body, freshBody, withNew);
  renew(document);
  document.dispatchEvent(new Event("assay:changed"));
}

function takeRows(body, fresh, withNew) {
  const present = new Map(rows().map((row) => [row.dataset.key, row]));
  const arrived = [];
  for (const row of fresh.querySelectorAll("tr[data-key]")) {
    const old = present.get(row.dataset.key);
    if (!old) arrived.push(row);
    else if (old.innerHTML !== row.innerHTML && !old.contains(document.activeElement)) old.innerHTML = row.innerHTML;
  }
  const pill = document.getElementById("fresh");
  if (withNew) {
    const known = new Set(arrived);
    body.replaceChildren(...[...fresh.children].map((row) => document.importNode(row, true)));
    for (const row of rows()) {
      if ([...known].some((one) => one.dataset.key === row.dataset.key)) row.classList.add("fresh");
    }
    pill.hidden = true;
    mark();
    return;
  }
  const query = new URLSearchParams(location.search);
  const gone = strike([...query.keys()].some((name) => !PLACES.includes(name)) ? fresh : null);
  const told = [];
  // Where nothing that is here is still on the first page, there may be more than that page holds.
  const isAll = arrived.length === fresh.children.length;
  if (arrived.length && !query.has("cursor")) told.push(`${isAll ? "at least " : ""}${arrived.length} new`);
  if (gone) told.push(`${gone} gone`);
  const text = told.join(", ");
  pill.hidden = text === "";
  if (!pill.hidden && pill.textContent !== text) {
    pill.textContent = text;
    say(text);
  }
}

// Strikes out the rows that a narrowed list has no more; how many. Those at its end may only have been
// pushed on to the next page.
function strike(fresh) {
  if (!fresh) return 0;
  const kept = new Set([...fresh.querySelectorAll("tr[data-key]")].map((row) => row.dataset.key));
  let mayBeNext = waiting.getElementById("next") !== null;
  let count = 0;
  for (const row of rows().reverse()) {
    const isKept = kept.has(row.dataset.key);
    if (isKept) mayBeNext = false;
    const isGone = !isKept && !mayBeNext;
    row.classList.toggle("gone", isGone);
    if (isGone) count += 1;
  }
  return count;
}

// Whether somebody is at something in it: a field, or a chart that is drawn over.
function isHeld(region) {
  return region.contains(document.activeElement) || region.querySelector("[data-held]") !== null;
}

function renewRegion(region, fresh) {
  if (region.innerHTML === fresh.innerHTML) return;
  // What was unfolded stays so.
  const open = [...region.querySelectorAll("details")].map((one) => one.open);
  region.innerHTML = fresh.innerHTML;
  region.querySelectorAll("details").forEach((one, index) => (one.open = open[index] ?? one.open));
}
