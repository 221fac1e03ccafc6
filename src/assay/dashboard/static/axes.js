// Axes in the words of the pages: thousands apart, 24 hours, UTC, and no number longer than its place.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const AGES = new Map([
  [0.1, "0.1 s"], [1, "1 s"], [10, "10 s"], [60, "1 min"], [600, "10 min"], [3600, "1 h"], [21600, "6 h"],
  [86400, "1 d"], [604800, "7 d"], [2592000, "30 d"],
]);
const [LEAST, MOST] = [1e-3, 1e5];
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

// How the numbers of an axis are written that reaches as far as these.
export function written(values) {
  const most = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  if (most === 0 || (most >= LEAST && most < MOST)) return (value) => signed(value, 1, "");
  const power = 3 * Math.floor(Math.log10(most) / 3);
  const raised = [...String(power)].map((digit) => RAISED[digit]).join("");
  return (value) => signed(value, 10 ** power, value === 0 ? "" : ` × 10${raised}`);
}

function signed(value, unit, suffix) {
  const [whole, rest] = String(Math.abs(Number((value / unit).toPrecision(6)))).split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return (value < 0 ? "−" : "") + apart + (rest ? `.${rest}` : "") + suffix;
}

export const share = (value) => `${Math.round(value * 100)}\u00a0%`;

// The day is said where it begins, the hour where ticks are less than a day apart.
function clock(at, place, all) {
  const before = place > 0 ? all[place - 1] : null;
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
  if (all.every((one) => one.getUTCHours() === 0 && one.getUTCMinutes() === 0)) return day;
  const hour = at.toISOString().slice(11, 16);
  return before?.getUTCDate() === at.getUTCDate() ? hour : `${hour}\n${day}`;
}

// Where a row stands, by what its table says of data-x.
export const POSITIONS = {
  time: (text) => new Date(text),
  number: Number,
  age: (text) => Math.log10(Math.max(0.01, Number(text))),
};

export const SCALES = {
  time(rows, { from, until }) {
    const [first, last] = from && until ? [new Date(from), new Date(until)] : d3.extent(rows, (row) => row.x);
    // One instant alone is no scale: it stands amid a day.
    const alone = Number(first) === Number(last);
    const domain = alone ? [d3.utcHour.offset(first, -12), d3.utcHour.offset(last, 12)] : [first, last];
    return { type: "utc", domain, tickFormat: clock, label: "UTC", labelArrow: "none" };
  },
  number: (rows) => ({ type: "linear", tickFormat: written(rows.map((row) => row.x)) }),
  // As logarithms on a plain scale: a logarithmic one leaves out names that are not powers of ten.
  age(rows) {
    const [least, greatest] = d3.extent(rows, (row) => row.x);
    const ages = [...AGES.keys()].map(Math.log10).filter((age) => age >= least && age <= greatest);
    return { type: "linear", ticks: ages, tickFormat: (age) => AGES.get(Number((10 ** age).toPrecision(6))) };
  },
};
