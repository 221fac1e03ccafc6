// A chart of bars over time: a click leads to the rows of a bar, a drag to those of a stretch.
// The svg says data-brush (the list), data-since and data-width-s (of a bar) and data-count; the
// parameters are those of the API's list. The table below the chart has the same links for keyboards.
export function install() {
  document.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest?.("svg[data-brush]");
    if (!chart || event.button !== 0) return;
    event.preventDefault();
    const first = barAt(chart, event);
    const mark = chart.querySelector(".chosen");
    const draw = (moved) => {
      const [from, to] = ordered(first, barAt(chart, moved));
      mark.setAttribute("x", String(from * 10));
      mark.setAttribute("width", String((to - from + 1) * 10));
    };
    draw(event);
    chart.setPointerCapture(event.pointerId);
    chart.addEventListener("pointermove", draw);
    chart.addEventListener(
      "pointerup",
      (ended) => {
        chart.removeEventListener("pointermove", draw);
        const [from, to] = ordered(first, barAt(chart, ended));
        go(chart, from, to + 1);
      },
      { once: true },
    );
  });
}

function barAt(chart, event) {
  const box = chart.getBoundingClientRect();
  const count = Number(chart.dataset.count);
  const index = Math.floor(((event.clientX - box.left) / box.width) * count);
  return Math.min(count - 1, Math.max(0, index));
}

function ordered(a, b) {
  return a < b ? [a, b] : [b, a];
}

function go(chart, from, to) {
  const since = new Date(chart.dataset.since).getTime();
  const width = Number(chart.dataset.widthS) * 1000;
  const url = new URL(chart.dataset.brush, location.href);
  url.searchParams.set("queued_after", new Date(since + from * width).toISOString());
  url.searchParams.set("queued_before", new Date(since + to * width).toISOString());
  location.href = url.href;
}
