// The whole trace in a strip: how many spans lie over each moment, where failures are, and the stretch
// that the rows below show. A drag chooses a stretch, a double click all of it.
const HEIGHT = 44;

export class Overview {
  constructor(tree, chosen) {
    this.tree = tree;
    this.chosen = chosen;
    this.window = [0, tree.last];
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overview";
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.addEventListener("pointerdown", (event) => this.drag(event));
    this.canvas.addEventListener("dblclick", () => this.chosen(0, this.tree.last));
  }

  show(from, to) {
    this.window = [from, to];
    this.draw();
  }

  draw() {
    const width = this.canvas.clientWidth;
    if (width === 0) return;
    const scale = devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = HEIGHT * scale;
    const paint = this.canvas.getContext("2d");
    paint.scale(scale, scale);
    const style = getComputedStyle(this.canvas);
    const { load, most, failed } = this.counts(width);
    // Properties that a canvas does nothing with hold its colours, as they are in this theme.
    paint.fillStyle = style.color;
    for (let x = 0; x < width; x++) {
      if (load[x] === 0) continue;
      const height = Math.max(1, ((HEIGHT - 6) * Math.log1p(load[x])) / Math.log1p(most));
      paint.fillRect(x, HEIGHT - height, 1, height);
    }
    paint.fillStyle = style.fill;
    for (const x of failed) paint.fillRect(x - 1, 0, 3, 5);
    const [from, to] = this.window.map((time) => (time / this.tree.last) * width);
    paint.fillStyle = style.stroke;
    paint.fillRect(0, 0, from, HEIGHT);
    paint.fillRect(to, 0, width - to, HEIGHT);
  }

  counts(width) {
    const { tree } = this;
    const column = (time) => Math.min(width - 1, Math.max(0, Math.floor((time / tree.last) * width)));
    const change = new Int32Array(width + 1);
    for (let at = 0; at < tree.count; at++) {
      change[column(tree.start[at])] += 1;
      change[column(tree.end[at]) + 1] -= 1;
    }
    const load = new Int32Array(width);
    let sum = 0;
    let most = 1;
    for (let x = 0; x < width; x++) {
      sum += change[x];
      load[x] = sum;
      most = Math.max(most, sum);
    }
    return { load, most, failed: new Set(tree.errors.map((at) => column(tree.start[at]))) };
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const box = this.canvas.getBoundingClientRect();
    const time = (moved) =>
      Math.min(1, Math.max(0, (moved.clientX - box.left) / box.width)) * this.tree.last;
    const first = time(event);
    const draw = (moved) => this.show(Math.min(first, time(moved)), Math.max(first, time(moved)));
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.addEventListener("pointermove", draw);
    const end = (ended) => {
      this.canvas.removeEventListener("pointermove", draw);
      const [from, to] = [first, time(ended)].sort((a, b) => a - b);
      // A click is no stretch.
      if (to - from > this.tree.last / 200) this.chosen(from, to);
      else this.chosen(0, this.tree.last);
    };
    this.canvas.addEventListener("pointerup", end, { once: true });
  }
}
