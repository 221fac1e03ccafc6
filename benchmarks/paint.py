"""What a browser takes: first paint and weight of pages, and a trace of 50,000 spans."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.table import Line, limit_line
from playwright.async_api import async_playwright

from assay.app.serving import serving
from assay.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, BrowserContext, Page

Figures: TypeAlias = dict[str, float]

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FIRST_PAINT_MS = 500.0
INTERACTIVE_MS = 1000.0
FRAME_MS = 50.0
WEIGHT_KB = 700.0
TIMES = 5
PAGES = (
    "",
    "runs",
    "runs/{run}",
    "sessions/account",
    "sessions/account/{account}",
    "scores",
    "scores/helpful",
    "outcomes",
    "functions",
    "events",
)
# Before any script of a page: when the rows of a trace are there, and a frame has shown them.
WATCH = """
new MutationObserver((_, watch) => {
  if (window.rowsAt || !document.querySelector(".trace-body > *")) return;
  watch.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.rowsAt = performance.now())));
}).observe(document, { childList: true, subtree: true });
"""
MEASURED = """async () => {
  const paint = await new Promise((done) => {
    new PerformanceObserver((list) => {
      const [found] = list.getEntriesByName("first-contentful-paint");
      if (found) done(found.startTime);
    }).observe({ type: "paint", buffered: true });
  });
  const of = (type) => performance.getEntriesByType(type);
  const all = [...of("navigation"), ...of("resource")];
  return { paint, packed: all.reduce((sum, one) => sum + one.encodedBodySize, 0) };
}"""
# Ten rows a frame, for two seconds: the longest time between two frames, and how many were long.
SCROLL = """async (long) => {
  const grid = document.querySelector(".trace-grid");
  grid.scrollTop = 0;
  const frame = () => new Promise(requestAnimationFrame);
  let last = await frame();
  const deltas = [];
  for (let n = 0; n < 120; n++) {
    grid.scrollTop += 270;
    const at = await frame();
    deltas.push(at - last);
    last = at;
  }
  return { worst: Math.max(...deltas), long: deltas.filter((one) => one > long).length };
}"""
PRESS = """async () => {
  const grid = document.querySelector(".trace-grid");
  grid.focus();
  const at = performance.now();
  grid.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - at;
}"""


async def paint(url: str, words: dict[str, str]) -> list[Line]:
    """The lines of the browser, on a filled database; where there is none, one that says so."""
    if not HAS_CHROMIUM:
        figure = f"not measured: needs {CHROMIUM} (apt-get install chromium)"
        return [Line(name="pages in a browser", figure=figure, value=float("nan"), unit="ms")]
    async with (
        serving(url, Settings(), host="127.0.0.1", port=0) as address,
        async_playwright() as driver,
    ):
        browser = await driver.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS])
        lines = await _pages(browser, address, words)
        lines += await _trace(browser, f"{address}/p/default/runs/{words['trace']}")
        await browser.close()
    return lines


async def _pages(browser: Browser, address: str, words: dict[str, str]) -> list[Line]:
    cold: Figures = {}
    warm: Figures = {}
    weight: Figures = {}
    for path in PAGES:
        where = f"{address}/p/default/{path.format(**words)}"
        first, again = [], []
        for _ in range(TIMES):
            async with _opened(browser) as (_, page):
                first.append(await _load(page, where))
                again.append(await _load(page, where))
        cold[path] = median(one["paint"] for one in first)
        warm[path] = median(one["paint"] for one in again)
        weight[path] = max(one["packed"] for one in first) / 1000
    return [
        _slowest("first contentful paint, nothing cached", cold, gate=FIRST_PAINT_MS, unit="ms"),
        _slowest("first contentful paint, cached", warm, gate=FIRST_PAINT_MS, unit="ms"),
        _slowest("weight of a page, packed, nothing cached", weight, gate=WEIGHT_KB, unit="kB"),
    ]


async def _trace(browser: Browser, where: str) -> list[Line]:
    shown, pressed, scrolls = [], [], []
    for _ in range(TIMES):
        async with _opened(browser) as (context, page):
            await context.add_init_script(WATCH)
            await page.goto(where)
            await page.locator(".trace-body > *").first.wait_for()
            pressed.append(await page.evaluate(PRESS))
            shown.append(await page.evaluate("() => window.rowsAt"))
            scrolls.append(await page.evaluate(SCROLL, FRAME_MS))
    worst = median(one["worst"] for one in scrolls)
    long = ", ".join(f"{one['long']}" for one in scrolls)
    return [
        limit_line(
            "a trace of 50,000 spans: its rows are there",
            median(shown),
            gate=INTERACTIVE_MS,
            unit="ms",
            figure=f"then a key answers in {median(pressed):.0f} ms",
        ),
        limit_line(
            "the longest frame while it scrolls",
            worst,
            gate=FRAME_MS,
            unit="ms",
            figure=f"frames over {FRAME_MS:.0f} ms of 120, each time: {long}",
        ),
    ]


@asynccontextmanager
async def _opened(browser: Browser) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A page of a browser that has seen nothing."""
    context = await browser.new_context(viewport={"width": 1300, "height": 900})
    yield context, await context.new_page()
    await context.close()


async def _load(page: Page, where: str) -> Figures:
    await page.goto(where, wait_until="load")
    found: Figures = await page.evaluate(MEASURED)
    return found


def _slowest(name: str, found: Figures, *, gate: float, unit: str) -> Line:
    path = max(found, key=found.__getitem__)
    others = f"median {median(found.values()):.0f} {unit} of {len(found)} pages"
    figure = f"{others}; most: /{path}"
    return limit_line(name, found[path], gate=gate, unit=unit, figure=figure)
