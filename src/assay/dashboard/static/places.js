// Where this browser was last in a project: what the palette begins with.
const MOST = 8;

export function places() {
  try {
    const kept = JSON.parse(localStorage.getItem(key()) ?? "[]");
    return kept.filter(({ href }) => href !== location.pathname).map((place) => ({ ...place, kind: "recent" }));
  } catch {
    return [];
  }
}

// Pages that the navigation leads to are a letter away, and what was refused is no place.
export function remember() {
  const page = document.querySelector("main[data-place]");
  if (!page) return;
  const place = { word: page.dataset.place, more: page.dataset.kind, href: location.pathname };
  try {
    const kept = JSON.parse(localStorage.getItem(key()) ?? "[]").filter(({ href }) => href !== place.href);
    localStorage.setItem(key(), JSON.stringify([place, ...kept].slice(0, MOST)));
  } catch {
    // Without storage nothing is remembered.
  }
}

function key() {
  return `assay-places:${document.querySelector(".brand").getAttribute("href")}`;
}
