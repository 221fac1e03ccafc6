// One row of a waterfall: made once, filled anew for each span that scrolls into its place.
const SHAPES = {
  ok: ["●", "pass", "ok"],
  error: ["■", "fail", "error"],
  unset: ["●", "idle", ""],
  open: ["◐", "idle", "lasts"],
};
// Controls and marks that turn the direction of text: written out, as everywhere on these pages.
// U+200C and U+200D join letters and emoji, and stay.
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const LEAST_ROOM = 0.2;
const SPACE = "\u00a0";

export function visible(text) {
  return text.replace(HIDDEN, (character) => {
    const number = character.charCodeAt(0);
    if (number < 0x20) return String.fromCharCode(0x2400 + number);
    return `\u27e8U+${number.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

export function took(microseconds) {
  if (microseconds === 0) return `0${SPACE}ms`;
  if (microseconds < 1000) return `${Math.round(microseconds)}${SPACE}µs`;
  const seconds = microseconds / 1e6;
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)}${SPACE}ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(2))}${SPACE}s`;
  const parts = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  const [size, unit, small, smaller] = parts.find(([length]) => seconds >= length);
  const rest = Math.floor((seconds % size) / small);
  return `${Math.floor(seconds / size)}${SPACE}${unit}${rest ? ` ${rest}${SPACE}${smaller}` : ""}`;
}

export function make(tag, name = "", attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export class Row {
  constructor() {
    this.at = -1;
    this.element = make("div", "trace-row", { role: "row" });
    const name = make("div", "trace-name", { role: "gridcell" });
    this.fold = make("span", "trace-fold", { "aria-hidden": "true" });
    this.shape = make("i", "", { "aria-hidden": "true" });
    this.unseen = make("span", "unseen");
    this.name = make("bdi");
    name.append(this.fold, this.shape, this.unseen, this.name);
    this.kind = make("div", "trace-kind hush", { role: "gridcell" });
    this.took = make("div", "trace-took number", { role: "gridcell" });
    const time = make("div", "trace-time", { role: "gridcell" });
    this.bar = make("div", "trace-bar", { "aria-hidden": "true" });
    this.scores = make("span", "trace-scores");
    time.append(this.bar, this.scores);
    this.element.append(name, this.kind, this.took, time);
  }

  show(tree, at, state) {
    this.at = at;
    const { element } = this;
    const status = tree.isOpen[at] ? "open" : tree.statuses[tree.status[at]];
    const [shape, tone, word] = SHAPES[status];
    const title = visible(tree.title(at));
    const hasMore = tree.size[at] > 1;
    element.id = `span-${at}`;
    element.setAttribute("aria-level", tree.depth[at] + 1);
    element.setAttribute("aria-rowindex", state.index + 2);
    element.setAttribute("aria-selected", String(state.isAt));
    if (hasMore) element.setAttribute("aria-expanded", String(!state.isFolded));
    else element.removeAttribute("aria-expanded");
    element.classList.toggle("at", state.isAt);
    element.classList.toggle("aside", state.isAside);
    element.style.transform = `translateY(${state.top}px)`;
    this.fold.textContent = hasMore ? (state.isFolded ? "▸" : "▾") : "";
    this.fold.style.setProperty("--depth", tree.depth[at]);
    this.shape.textContent = shape;
    this.shape.className = tone;
    this.unseen.textContent = word ? `${word}: ` : "";
    this.name.textContent = title;
    this.name.title = title;
    this.kind.textContent = tree.kinds[tree.kind[at]];
    this.took.textContent = took(tree.end[at] - tree.start[at]) + (tree.isOpen[at] ? "…" : "");
    this.draw(tree, at, state);
  }

  draw(tree, at, { from, to, isCritical }) {
    const whole = to - from;
    const left = Math.max(0, Math.min(1, (tree.start[at] - from) / whole));
    const right = Math.max(0, Math.min(1, (tree.end[at] - from) / whole));
    const kind = tree.kinds[tree.kind[at]];
    const isFailed = tree.status[at] === tree.error;
    this.bar.className = `trace-bar ${kind}${isFailed ? " failed" : ""}${isCritical ? " critical" : ""}`;
    this.bar.style.left = `${left * 100}%`;
    this.bar.style.width = `${(right - left) * 100}%`;
    this.bar.hidden = tree.end[at] < from || tree.start[at] > to;
    const scores = tree.scores.get(at) ?? [];
    this.scores.hidden = scores.length === 0;
    this.scores.textContent = scores.map(({ name, value }) => `${visible(name)} ${worded(value)}`).join(" · ");
    this.scores.title = this.scores.textContent;
    // Beside the bar, on the side with more room; on its end, where it leaves none.
    const isLeft = left > 1 - right;
    const isInside = Math.max(left, 1 - right) < LEAST_ROOM;
    this.scores.classList.toggle("inside", isInside);
    if (isInside) {
      this.scores.style.left = "";
      this.scores.style.right = `calc(${(1 - right) * 100}% + 4px)`;
      return;
    }
    this.scores.style.left = isLeft ? "" : `min(${right * 100}%, 100% - 24px)`;
    this.scores.style.right = isLeft ? `${(1 - left) * 100}%` : "";
  }
}

function worded(value) {
  if (value === true) return "● true";
  if (value === false) return "▲ false";
  return String(Number(value.toPrecision(4)));
}
