// <assay-waterfall data-trace="/p/project/runs/ID">: the trace of a run as rows in time. Only the rows
// in sight are elements; what a span holds is asked for when it is looked at, in the docked panel.
// Without scripts, and until the trace is here, the table within the element stays.
import { on } from "./keys.js";
import { keep, show } from "./rows.js";
import { say } from "./saying.js";
import { Overview } from "./trace-overview.js";
import { Row, make, took } from "./trace-rows.js";
import { Tree } from "./trace-tree.js";

const ROW_PX = 27;
const BESIDES = 12;
const LARGE = 5000;
const AGAIN_MS = { small: 1000, large: 10_000 };

class Waterfall extends HTMLElement {
  connectedCallback() {
    if (this.tree) return;
    this.at = new URLSearchParams(location.search).get("span");
    this.folded = new Set();
    this.text = "";
    this.load();
    document.addEventListener("assay:changed", () => this.again());
  }

  async load() {
    let tree;
    try {
      const answer = await fetch(`${this.dataset.trace}/trace.json`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      tree = new Tree(await answer.json());
    } catch {
      // The table that is here tells of the steps.
      return;
    }
    const isFirst = !this.tree;
    const wasWhole = isFirst || (this.from <= 0 && this.to >= this.tree.last);
    this.tree = tree;
    this.isCritical = tree.critical();
    if (wasWhole) [this.from, this.to] = [0, tree.last];
    if (isFirst) this.build();
    this.overview.tree = tree;
    this.overview.show(this.from, this.to);
    this.tell();
    this.renew();
    if (isFirst && this.at !== null && tree.place.has(this.at)) {
      this.choose(tree.place.get(this.at));
      // Whoever closed the panel meanwhile has taken the span out of the address.
      const isAsked = new URLSearchParams(location.search).has("span");
      if (isAsked && document.getElementById("panel").hidden) this.look();
    }
    this.loadedAt = performance.now();
  }

  // Something has changed: what lasts, or came to be, is asked for again; a large trace less often.
  again() {
    if (!this.tree || this.waiting) return;
    const every = this.tree.count > LARGE ? AGAIN_MS.large : AGAIN_MS.small;
    const wait = Math.max(0, this.loadedAt + every - performance.now());
    this.waiting = setTimeout(async () => {
      await this.load();
      this.waiting = null;
    }, wait);
  }

  build() {
    this.overview = new Overview(this.tree, (from, to) => this.zoom(from, to));
    this.grid = make("div", "trace-grid", { role: "treegrid", tabindex: "0", "aria-label": "Spans of the trace" });
    const head = make("div", "trace-head", { role: "row", "aria-rowindex": "1" });
    for (const word of ["Span", "Kind", "Took", "In time"]) {
      const cell = make("div", `trace-${word === "Span" ? "name" : word === "In time" ? "time" : word.toLowerCase()}`, { role: "columnheader" });
      cell.textContent = word;
      head.append(cell);
    }
    this.scale = make("span", "hush");
    head.lastChild.append(" ", this.scale);
    this.body = make("div", "trace-body", { role: "rowgroup" });
    this.grid.append(head, this.body);
    this.rows = [];
    this.replaceChildren(this.tools(), this.overview.canvas, this.grid);
    this.grid.addEventListener("scroll", () => this.soon(), { passive: true });
    this.grid.addEventListener("keydown", (event) => this.press(event));
    this.grid.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => {
      this.overview.draw();
      this.soon();
    }).observe(this.grid);
    new MutationObserver(() => this.overview.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    on("e", () => this.nextError());
    on("/", () => this.filter.focus());
    for (const key of ["j", "k"]) on(key, (event) => (this.grid.focus(), this.press(event), true));
  }

  tools() {
    const tools = make("div", "trace-tools");
    const label = make("label");
    this.filter = make("input", "", { type: "search", placeholder: "name, kind or status", autocomplete: "off", spellcheck: "false" });
    label.append("Filter spans", this.filter);
    this.filter.addEventListener("input", () => {
      this.text = this.filter.value;
      this.renew();
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      event.preventDefault();
      this.grid.focus();
      this.move(0);
    });
    this.errors = this.button("Next error (e)", () => this.nextError());
    this.count = make("span", "hush");
    tools.append(
      label,
      this.errors,
      this.button("Zoom to span (z)", () => this.zoomToSpan()),
      this.button("All of the time (0)", () => this.zoom(0, this.tree.last)),
      this.button("Fold all", () => this.foldAll()),
      this.button("Unfold all", () => this.unfoldAll()),
      this.count,
    );
    return tools;
  }

  button(text, act) {
    const button = make("button", "plain", { type: "button" });
    button.textContent = text;
    button.addEventListener("click", act);
    return button;
  }

  tell() {
    const { errors } = this.tree;
    this.errors.hidden = errors.length === 0;
    this.errors.textContent = `■ ${errors.length} ${errors.length === 1 ? "error" : "errors"} (e)`;
  }

  // What is shown has changed.
  renew() {
    const { tree } = this;
    this.shown = tree.shown(this.folded, this.text, this.from, this.to);
    this.row = new Int32Array(tree.count).fill(-1);
    this.shown.forEach((at, index) => (this.row[at] = index));
    const shown = this.shown.length.toLocaleString("en");
    const all = tree.count.toLocaleString("en");
    const spans = tree.count === 1 ? "span" : "spans";
    this.count.textContent = `${shown === all ? all : `${shown} of ${all}`} ${spans}${tree.isComplete ? "" : ", the first of more"}`;
    this.scale.textContent = `${took(this.from)} to ${took(this.to)}`;
    this.scale.title = this.scale.textContent;
    this.grid.setAttribute("aria-rowcount", this.shown.length + 1);
    this.body.style.height = `${this.shown.length * ROW_PX}px`;
    this.grid.style.height = `min(68vh, ${(this.shown.length + 1) * ROW_PX + 2}px)`;
    this.draw();
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const first = Math.max(0, Math.floor(this.grid.scrollTop / ROW_PX) - BESIDES);
    const last = Math.min(this.shown.length, first + Math.ceil(this.grid.clientHeight / ROW_PX) + 2 * BESIDES);
    while (this.rows.length < last - first) this.rows.push(new Row());
    const atPlace = this.tree.place.get(this.at);
    const isFiltered = this.text.trim() !== "";
    const wanted = this.text.trim().toLowerCase();
    for (let index = first; index < last; index++) {
      const at = this.shown[index];
      // A row keeps its place while it stays in sight.
      const row = this.rows[index % this.rows.length];
      row.show(this.tree, at, {
        index,
        top: index * ROW_PX,
        isAt: at === atPlace,
        isFolded: !isFiltered && this.folded.has(this.tree.id[at]),
        isAside: isFiltered && !this.tree.title(at).toLowerCase().includes(wanted),
        isCritical: this.isCritical[at] === 1,
        from: this.from,
        to: this.to,
      });
      if (row.element.parentNode !== this.body) this.body.append(row.element);
    }
    for (const row of this.rows) {
      const index = this.row[row.at] ?? -1;
      if (index < first || index >= last || this.rows[index % this.rows.length] !== row) row.element.remove();
    }
    if (this.row[atPlace] >= 0) this.grid.setAttribute("aria-activedescendant", `span-${atPlace}`);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  // Choosing

  choose(at) {
    this.at = this.tree.id[at];
    if (this.row[at] < 0) {
      for (const up of this.tree.above(at)) this.folded.delete(this.tree.id[up]);
      this.renew();
    }
    if (this.row[at] < 0) {
      // Neither filter nor stretch has it.
      this.text = this.filter.value = "";
      this.zoom(0, this.tree.last);
    }
    const top = this.row[at] * ROW_PX;
    const height = this.grid.clientHeight - ROW_PX;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top > this.grid.scrollTop + height - ROW_PX) this.grid.scrollTop = top - height + ROW_PX;
    this.draw();
    if (!document.getElementById("panel").hidden) this.lookSoon();
  }

  move(by) {
    if (this.shown.length === 0) return;
    const index = this.row[this.tree.place.get(this.at)] ?? -1;
    const next = index < 0 && by !== Infinity ? 0 : Math.min(this.shown.length - 1, Math.max(0, index + by));
    this.choose(this.shown[next]);
  }

  press(event) {
    const { tree } = this;
    const at = tree.place.get(this.at);
    const page = Math.max(1, Math.floor(this.grid.clientHeight / ROW_PX) - 2);
    const moves = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "ArrowRight") this.step(at, true);
    else if (event.key === "ArrowLeft") this.step(at, false);
    else if (event.key === "Enter" || event.key === " ") this.look();
    else if (event.key === "z") this.zoomToSpan();
    else if (event.key === "0") this.zoom(0, tree.last);
    else return;
    event.preventDefault();
  }

  // As trees go: right unfolds, then goes in; left folds, then goes up.
  step(at, inward) {
    const { tree } = this;
    if (at === undefined) return this.move(0);
    const isFolded = this.folded.has(tree.id[at]);
    const hasMore = tree.size[at] > 1;
    if (inward && hasMore) return isFolded ? this.fold(at, false) : this.choose(at + 1);
    if (!inward && hasMore && !isFolded) return this.fold(at, true);
    if (!inward && tree.parent[at] >= 0) return this.choose(tree.parent[at]);
  }

  fold(at, isFolded) {
    if (isFolded) this.folded.add(this.tree.id[at]);
    else this.folded.delete(this.tree.id[at]);
    this.renew();
  }

  foldAll() {
    const { tree } = this;
    for (let at = 0; at < tree.count; at++) {
      if (tree.size[at] > 1 && tree.depth[at] > 0) this.folded.add(tree.id[at]);
    }
    this.renew();
  }

  unfoldAll() {
    this.folded.clear();
    this.renew();
  }

  click(event) {
    const row = this.rows.find((one) => one.element.contains(event.target));
    if (!row || String(getSelection())) return;
    if (event.target === row.fold && this.tree.size[row.at] > 1) {
      this.fold(row.at, !this.folded.has(this.tree.id[row.at]));
      return;
    }
    this.at = this.tree.id[row.at];
    this.draw();
    this.look();
  }

  nextError() {
    const { errors } = this.tree;
    if (errors.length === 0) return false;
    const at = this.tree.place.get(this.at) ?? -1;
    const next = errors.find((place) => place > at) ?? errors[0];
    this.choose(next);
    this.grid.focus();
    say(`error ${errors.indexOf(next) + 1} of ${errors.length}: ${this.tree.title(next)}`);
    return true;
  }

  zoom(from, to) {
    [this.from, this.to] = [from, Math.max(to, from + 1)];
    this.overview.show(this.from, this.to);
    this.renew();
    say(`${took(from)} to ${took(to)}`);
  }

  zoomToSpan() {
    const at = this.tree.place.get(this.at);
    if (at === undefined) return;
    const { start, end } = this.tree;
    const margin = Math.max(1, (end[at] - start[at]) / 20);
    this.zoom(start[at] - margin, end[at] + margin);
    this.choose(at);
  }

  // Details

  lookSoon() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => document.getElementById("panel").hidden || this.look(), 120);
  }

  look() {
    const at = this.tree.place.get(this.at);
    if (at === undefined) return;
    clearTimeout(this.looking);
    keep("span", this.at);
    const run = this.dataset.trace.replace(/[^/]+$/, this.tree.runs[this.tree.run[at]].id);
    show(`${run}/spans/${this.at}`);
  }
}

customElements.define("assay-waterfall", Waterfall);
