// "3 min ago" goes on by itself; the title says the instant, here in the reader's own zone.
const UNITS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [172800, 3600, "h"],
  [Infinity, 86400, "d"],
];
const EVERY_MS = 10_000;

export function install() {
  renew(document);
  setInterval(() => document.hidden || renew(document), EVERY_MS);
}

export function renew(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const text = ago(at, Date.now());
    if (time.textContent !== text) time.textContent = text;
    if (!time.dataset.local) {
      time.dataset.local = "1";
      time.title = `${time.title}\n${at.toLocaleString()}`;
    }
  }
}

export function ago(at, now) {
  const seconds = (now - at.getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const [, length, unit] = UNITS.find(([most]) => size < most);
  const text = `${Math.floor(size / length)}\u00a0${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}
