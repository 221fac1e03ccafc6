// A trace as a tree, from its skeleton (GET /api/v1/runs/{id}/trace/skeleton). The n-th item of each
// column is about the n-th span; a span comes behind its parent, and all that is below it follows it.
// Times are microseconds after the start of the first span.
export class Tree {
  constructor(skeleton) {
    const { spans } = skeleton;
    this.kinds = skeleton.kinds;
    this.statuses = skeleton.statuses;
    this.names = skeleton.names;
    this.runs = skeleton.runs;
    this.isComplete = skeleton.is_complete;
    this.count = spans.id.length;
    this.id = spans.id;
    this.name = spans.name;
    this.kind = spans.kind;
    this.status = spans.status;
    this.run = spans.run;
    this.parent = Int32Array.from(spans.parent);
    this.start = Float64Array.from(spans.start);
    this.isOpen = spans.duration.map((duration) => duration === null);
    const now = (Date.parse(skeleton.read_at) - Date.parse(skeleton.origin)) * 1000;
    this.end = Float64Array.from(spans.duration, (duration, at) =>
      duration === null ? Math.max(now, spans.start[at]) : spans.start[at] + duration,
    );
    this.last = this.end.reduce((a, b) => Math.max(a, b), 1);
    this.depth = new Int32Array(this.count);
    this.size = new Int32Array(this.count).fill(1);
    for (let at = 0; at < this.count; at++) {
      if (this.parent[at] >= 0) this.depth[at] = this.depth[this.parent[at]] + 1;
    }
    for (let at = this.count - 1; at > 0; at--) {
      if (this.parent[at] >= 0) this.size[this.parent[at]] += this.size[at];
    }
    this.error = this.statuses.indexOf("error");
    this.errors = this.causes();
    this.scores = new Map();
    skeleton.scores.span.forEach((at, number) => {
      const score = { name: skeleton.scores.name[number], value: skeleton.scores.value[number] };
      this.scores.set(at, [...(this.scores.get(at) ?? []), score]);
    });
    this.place = new Map(this.id.map((id, at) => [id, at]));
  }

  title(at) {
    return this.names[this.name[at]];
  }

  // Failures below which nothing has failed: where to look first.
  causes() {
    const hasBelow = new Uint8Array(this.count);
    const found = [];
    for (let at = this.count - 1; at >= 0; at--) {
      const isFailed = this.status[at] === this.error;
      if (isFailed && !hasBelow[at]) found.push(at);
      if ((isFailed || hasBelow[at]) && this.parent[at] >= 0) hasBelow[this.parent[at]] = 1;
    }
    return found.reverse();
  }

  // The places to show: in a stretch of time, with a text in their name or as their kind or status,
  // and what is above them; without either, what is below a folded span is left out.
  shown(folded, text, from, to) {
    const wanted = text.trim().toLowerCase();
    const isWhole = from <= 0 && to >= this.last;
    const places = [];
    if (!wanted && isWhole) {
      for (let at = 0; at < this.count; at += folded.has(this.id[at]) ? this.size[at] : 1) places.push(at);
      return places;
    }
    const named = this.names.map((name) => name.toLowerCase().includes(wanted));
    const kinds = this.kinds.map((kind) => kind === wanted);
    const statuses = this.statuses.map((status) => status === wanted);
    const isKept = new Uint8Array(this.count);
    for (let at = this.count - 1; at >= 0; at--) {
      const fits = named[this.name[at]] || kinds[this.kind[at]] || statuses[this.status[at]];
      if (fits && this.start[at] <= to && this.end[at] >= from) isKept[at] = 1;
      if (isKept[at] && this.parent[at] >= 0) isKept[this.parent[at]] = 1;
    }
    for (let at = 0; at < this.count; at++) if (isKept[at]) places.push(at);
    return places;
  }

  // What the end of a root waited for: from the end of a span back, whichever child ended last
  // before it, and so on below that child. Gives 1 for each span on the way.
  critical() {
    const children = Array.from({ length: this.count }, () => null);
    const roots = [];
    for (let at = 0; at < this.count; at++) {
      const parent = this.parent[at];
      if (parent < 0) roots.push(at);
      else (children[parent] ??= []).push(at);
    }
    const isOn = new Uint8Array(this.count);
    const stack = roots.map((at) => [at, this.end[at]]);
    while (stack.length > 0) {
      const [at, until] = stack.pop();
      isOn[at] = 1;
      let cursor = Math.min(until, this.end[at]);
      for (const child of (children[at] ?? []).sort((a, b) => this.end[b] - this.end[a])) {
        // What goes on after its parent's end is no part of why that took so long.
        if (this.end[child] > cursor || this.start[child] < this.start[at]) continue;
        stack.push([child, cursor]);
        cursor = this.start[child];
      }
    }
    return isOn;
  }

  above(at) {
    const places = [];
    for (let up = this.parent[at]; up >= 0; up = this.parent[up]) places.push(up);
    return places;
  }
}
