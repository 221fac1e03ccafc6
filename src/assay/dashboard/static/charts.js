// Charts, each drawn from the table below it: what a chart shows can be read as numbers too.
// table[data-chart=line|steps|totals] holds rows with data-x (an instant, a number, or an age in seconds) and data-y,
// data-low, data-high where there is an estimate, and data-series where there are several. The table says
// what is drawn (data-y-label, data-x-label), in which unit (data-unit=share|value), from when to when if that is
// more than its rows (data-from, data-until), and which names have which colour on the whole page (data-names).
import { POSITIONS, SCALES, share, written } from "./axes.js";
import { plotting } from "./plotting.js";

const MARKERS = ["circle", "square", "triangle", "diamond", "cross", "star", "wye"];
const COLOURS = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)"];
const DASHES = ["none", "6 3", "2 3", "8 3 2 3"];
// As wide as letters are on average, or more.
const LETTER_PX = 6.5;
// The place of a chart, before there is one: nothing moves when it comes.
function place(table) {
  const figure = document.createElement("figure");
  figure.className = "chart";
  figure.id = `${table.id}-chart`;
  const details = table.closest("details");
  details.before(figure);
  details.open = "unfolded" in table.dataset;
  return [table, figure];
}

function observe(table, figure) {
  draw(table, figure);
  let width = figure.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(figure.clientWidth - width) < 8) return;
    width = figure.clientWidth;
    draw(table, figure);
  }).observe(figure);
}

function draw(table, figure) {
  const rows = read(table);
  const drawn = rows.filter((row) => row.y !== null);
  figure.hidden = drawn.length === 0;
  if (figure.hidden) return;
  const names = new Set([...JSON.parse(table.dataset.names ?? "[]"), ...drawn.map((row) => row.series)]);
  const series = styles([...names]).filter(({ name }) => drawn.some((row) => row.series === name));
  const marks = { line: lines, steps, totals }[table.dataset.chart];
  const isShare = table.dataset.unit === "share";
  const width = Math.max(280, figure.clientWidth);
  const margin = series.some(({ name }) => name) ? Math.min(150, Math.round(width * 0.3)) : 24;
  const plot = Plot.plot({
    width,
    height: 220,
    marginLeft: 64,
    marginRight: margin,
    x: { label: table.dataset.xLabel || null, ...SCALES[table.dataset.x](drawn, table.dataset) },
    y: {
      label: table.dataset.yLabel || null,
      grid: true,
      ...(isShare ? { domain: [0, 1], tickFormat: share } : { nice: true, tickFormat: written(reach(drawn)) }),
    },
    ariaLabel: table.caption?.textContent ?? "",
    marks: [...zero(table), ...rules(table), ...marks(rows, series, margin)],
  });
  // It is one picture; the names that Plot gives to its parts say nothing more.
  plot.setAttribute("role", "img");
  for (const part of plot.querySelectorAll("g[aria-label]")) part.removeAttribute("aria-label");
  figure.replaceChildren(plot);
}

function read(table) {
  return [...table.tBodies[0].rows].map(({ dataset }) => ({
    x: POSITIONS[table.dataset.x](dataset.x),
    y: number(dataset.y),
    low: number(dataset.low),
    high: number(dataset.high),
    series: dataset.series ?? "",
  }));
}

function reach(rows) {
  return rows.flatMap((row) => [row.y, row.low ?? NaN, row.high ?? NaN]);
}

function number(text) {
  return text === undefined || text === "" ? null : Number(text);
}

function styles(series) {
  return series.map((name, index) => ({
    name,
    colour: COLOURS[index % COLOURS.length],
    dash: DASHES[index % DASHES.length],
    symbol: MARKERS[index % MARKERS.length],
  }));
}

// A line with a band and a dot for each stretch. Where a stretch has no value the line is broken; where
// a value has no interval the band is, and the dot stays open.
function lines(rows, series, margin) {
  return series.flatMap(({ name, colour, dash, symbol }) => {
    const own = rows.filter((row) => row.series === name);
    const known = own.filter((row) => row.y !== null);
    const [banded, bare] = [known.filter((row) => row.low !== null), known.filter((row) => row.low === null)];
    return [
      Plot.areaY(own, { x: "x", y1: or("low"), y2: or("high"), fill: colour, fillOpacity: 0.14 }),
      Plot.ruleX(banded, { x: "x", y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.55 }),
      Plot.lineY(own, { x: "x", y: or("y"), stroke: colour, strokeWidth: 1.5, strokeDasharray: dash }),
      Plot.dot(banded, { x: "x", y: "y", fill: colour, symbol, r: 3 }),
      Plot.dot(bare, { x: "x", y: "y", fill: "var(--ground)", stroke: colour, symbol, r: 3.5 }),
      label(known, name, colour, margin),
    ];
  });
}

// What is not a number interrupts a line and a band.
function or(name) {
  return (row) => row[name] ?? NaN;
}

// What holds from one value on, until the next.
function steps(rows, series, margin) {
  return series.flatMap(({ name, colour, dash }) => {
    const own = rows.filter((row) => row.series === name && row.y !== null);
    const banded = own.filter((row) => row.low !== null);
    return [
      Plot.areaY(banded, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.14, curve: "step-after" }),
      Plot.lineY(own, { x: "x", y: "y", stroke: colour, strokeWidth: 1.5, strokeDasharray: dash, curve: "step-after" }),
      label(own, name, colour, margin),
    ];
  });
}

// What adds up: without dots, since between two of them nothing is unknown.
function totals(rows, series, margin) {
  return series.flatMap(({ name, colour, dash }) => {
    const own = rows.filter((row) => row.series === name);
    const line = { x: "x", y: "y", stroke: colour, strokeWidth: 1.5, strokeDasharray: dash };
    return [Plot.lineY(own, line), label(own, name, colour, margin)];
  });
}

// No difference, where differences are drawn.
function zero(table) {
  return "zero" in table.dataset ? [Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 })] : [];
}

// data-rules says what began at which instant: 2026-01-31T00:00:00Z epoch 2;...
function rules(table) {
  const begun = (table.dataset.rules ?? "").split(";").filter(Boolean);
  const marks = begun.map((rule) => ({ x: new Date(rule.split(" ", 1)[0]), word: rule.slice(rule.indexOf(" ") + 1) }));
  return [
    Plot.ruleX(marks, { x: "x", stroke: "var(--edge)", strokeDasharray: "2 2" }),
    Plot.text(marks, { x: "x", text: "word", frameAnchor: "top", textAnchor: "start", dx: 4, fill: "var(--quiet)" }),
  ];
}

// A name is cut where the margin ends; the table has all of it.
function label(rows, name, colour, margin) {
  const most = Math.floor((margin - 10) / LETTER_PX);
  const text = [...name].length > most ? `${[...name].slice(0, most - 1).join("")}…` : name;
  return Plot.text(name ? rows.slice(-1) : [], { x: "x", y: "y", text: [text], dx: 8, textAnchor: "start", fill: colour });
}

const places = [...document.querySelectorAll("table[data-chart]")].map(place);
if (places.length > 0) plotting().then(() => places.forEach(([table, figure]) => observe(table, figure)));
