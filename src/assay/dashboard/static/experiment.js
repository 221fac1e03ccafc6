// The confidence sequence of an experiment: drawn from its table of looks.
import { plotting } from "./plotting.js";

const figure = document.getElementById("looks-chart");
const table = document.getElementById("looks-table");

// Differences of shares are in percentage points, as everywhere on the page.
const scale = figure && "share" in figure.dataset ? 100 : 1;

function read() {
  return [...table.querySelectorAll("tbody tr[data-estimate]")].map((row) => ({
    at: new Date(row.dataset.at),
    variant: row.dataset.variant,
    estimate: scale * Number(row.dataset.estimate),
    low: "low" in row.dataset ? scale * Number(row.dataset.low) : NaN,
    high: "high" in row.dataset ? scale * Number(row.dataset.high) : NaN,
  }));
}

// Direct labels and dashes tell variants apart where colours don't.
const DASHES = [null, "6 3", "2 3", "8 3 2 3"];
const COLOURS = ["var(--pass)", "var(--fail)", "var(--warn)", "var(--quiet)"];

function draw() {
  const looks = read();
  if (looks.length < 2) return;
  const variants = [...new Set(looks.map((look) => look.variant))];
  const marks = [Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 })];
  variants.forEach((variant, place) => {
    const own = looks.filter((look) => look.variant === variant);
    const colour = COLOURS[place % COLOURS.length];
    // Where a look has no interval the band is interrupted, and its dot stays open.
    const bounded = own.filter((look) => Number.isFinite(look.low));
    const bare = own.filter((look) => !Number.isFinite(look.low));
    marks.push(
      Plot.areaY(own, { x: "at", y1: "low", y2: "high", fill: colour, fillOpacity: 0.16 }),
      Plot.lineY(own, { x: "at", y: "estimate", stroke: colour, strokeWidth: 1.5, strokeDasharray: DASHES[place % DASHES.length] }),
      Plot.dot(bounded, { x: "at", y: "estimate", fill: colour, r: 2.5 }),
      Plot.dot(bare, { x: "at", y: "estimate", fill: "var(--ground)", stroke: colour, r: 3 }),
      Plot.text(own.slice(-1), { x: "at", y: "estimate", text: "variant", dx: 8, textAnchor: "start", fill: "currentColor" }),
    );
  });
  const chart = Plot.plot({
    width: Math.min(960, Math.max(320, figure.parentElement.clientWidth)),
    height: 240,
    marginLeft: 56,
    marginRight: 96,
    x: { type: "utc", label: null },
    y: { label: `difference to ${figure.dataset.control}${scale === 100 ? ", pp" : ""}`, grid: true },
    ariaLabel: "The difference and its interval at each look; the table below has the numbers",
    marks,
  });
  chart.setAttribute("role", "img");
  // A group without a role may have no name; the picture has one.
  for (const group of chart.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  figure.replaceChildren(chart);
  figure.hidden = false;
}

if (figure && table) plotting().then(draw);
