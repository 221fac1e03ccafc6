// What charts are drawn with is large: it comes once the page has been seen.
const PARTS = ["vendor/d3.min.js", "vendor/plot.min.js"];
const seen = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

function load(part) {
  const script = document.createElement("script");
  script.src = new URL(part, import.meta.url);
  return new Promise((done, fail) => {
    script.addEventListener("load", done);
    script.addEventListener("error", fail);
    document.head.append(script);
  });
}

export async function plotting() {
  await seen();
  for (const part of PARTS) await load(part);
}
