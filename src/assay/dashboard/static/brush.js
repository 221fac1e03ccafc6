// A chart of bars over time: a click leads to the rows of a bar, a drag to those of a stretch.
// The svg says data-brush (the list), data-begins and data-width-s (of a bar), data-count, and the time
// that it is of (data-since, data-until); the parameters are those of the API's list. The table below the chart has the same links for keyboards.
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
    // Live updates leave the chart where it is until the button is let go, which one that is gone doesn't hear.
    chart.dataset.held = "";
    chart.setPointerCapture(event.pointerId);
    chart.addEventListener("pointermove", draw);
    const end = (ended) => {
      for (const kind of ["pointerup", "pointercancel"]) chart.removeEventListener(kind, end);
      chart.removeEventListener("pointermove", draw);
      delete chart.dataset.held;
      if (ended.type === "pointercancel") return;
      const [from, to] = ordered(first, barAt(chart, ended));
      go(chart, from, to + 1);
    };
    for (const kind of ["pointerup", "pointercancel"]) chart.addEventListener(kind, end);
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
  const { begins, since, until, widthS } = chart.dataset;
  const at = (place) => {
    const instant = new Date(begins).getTime() + place * Number(widthS) * 1000;
    // Beyond what is shown there may be runs that no bar counts.
    return instant <= new Date(since).getTime() ? since : instant >= new Date(until).getTime() ? until : new Date(instant).toISOString();
  };
  const url = new URL(chart.dataset.brush, location.href);
  url.searchParams.set("queued_after", at(from));
  url.searchParams.set("queued_before", at(to));
  location.href = url.href;
}
