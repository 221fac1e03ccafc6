"""Sessions, scores and outcomes with something in them, in a real browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browsing import violations

if TYPE_CHECKING:
    from browsing import Opener, Served
    from dashboard_server import DashboardServer

HOSTILE = '<script>alert(1)</script>\u202e\N{ARABIC LETTER BEH}"'
BEYOND = """svg => {
  const { left, right } = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].filter(one => one.textContent);
  const isBeyond = ends => ends.right > right || ends.left < left;
  return texts.filter(one => isBeyond(one.getBoundingClientRect())).map(one => one.textContent);
}"""
PATHS = ["/sessions/ticket", "/sessions/ticket/1", "/scores", "/scores/length", "/outcomes"]


def some_scores(server: DashboardServer) -> None:
    """Twelve runs in sessions, with numbers, booleans and promises."""
    server.register("answer")
    for place in range(12):
        run = server.start(sessions={"ticket": str(place // 2), "odd": HOSTILE})
        server.promise(run, HOSTILE)
        scores = [{"name": "length", "value": place / 3, "run_id": run}]
        scores += [{"name": "revenue", "value": place * 1e9, "run_id": run}]
        scores += [{"name": HOSTILE, "value": place % 2 == 0, "run_id": run}]
        server.post("scores", {"scores": scores})
        server.clock.advance(timedelta(milliseconds=300))
        server.promise(run, HOSTILE, "observed" if place % 3 else "timed_out")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_full_pages_are_accessible(open_page: Opener, served: Served, scheme: str) -> None:
    """Narrow and in both schemes; what people wrote is text and runs nowhere."""
    served.seed(some_scores)
    for path in PATHS:
        page = open_page(served, f"/p/default{path}", width=360, scheme=scheme, is_open=True)
        assert violations(page) == []


def test_charts_are_drawn_from_tables(open_page: Opener, served: Served) -> None:
    """With the page's policy on; without scripts the table is read."""
    served.seed(some_scores)
    for path in ("/scores/length", "/scores/revenue", "/outcomes"):
        for width in (360, 1600):
            page = open_page(served, f"/p/default{path}", width=width)
            chart = page.locator("figure.chart svg[role=img]").first
            expect(chart).to_be_visible()
            assert chart.evaluate(BEYOND) == []
        plain = open_page(served, f"/p/default{path}", scripts=False)
        expect(plain.locator("table[data-chart] tbody tr").first).to_be_visible()


def test_axes_say_what_and_in_which_unit(open_page: Opener, served: Served) -> None:
    """Time in UTC and 24 hours, over the whole of what was asked for; large numbers in short."""
    served.seed(some_scores)
    page = open_page(served, "/p/default/scores/revenue")
    for chart, what, ticks in (
        ("#over-time-chart", ("mean", "UTC"), r"00:00\d+ \w+"),
        ("#distribution-chart", ("runs", "revenue, at most"), "\\d.*10⁹"),
    ):
        for words in what:
            expect(page.locator(f"{chart} text", has_text=words)).to_have_count(1)
        expect(page.locator(f"{chart} text", has_text=re.compile(ticks)).first).to_be_visible()
    # A week was asked for, though all of it happened today.
    assert page.locator("#over-time-chart text", has_text=re.compile("^00:00")).count() >= 6


def three_days(server: DashboardServer) -> None:
    """Twelve sessions are scored on the first day and on the third, and one between."""
    server.register("answer")
    for sessions in (12, 1, 12):
        for place in range(sessions):
            run = server.start(sessions={"ticket": f"{server.clock.time()}-{place}"})
            server.post("scores", {"name": "length", "value": place, "run_id": run})
        server.clock.advance(timedelta(days=1))


def test_a_band_is_broken_where_there_is_no_interval(open_page: Opener, served: Served) -> None:
    """There the dot is open; before and after it the band is drawn."""
    served.seed(three_days)
    now = datetime.now(UTC)
    since, until = now - timedelta(hours=1), now + timedelta(days=3)
    span = f"queued_after={since:%FT%TZ}&queued_before={until:%FT%TZ}"
    page = open_page(served, f"/p/default/scores/length?{span}")
    chart = page.locator("section:has(#over-time) figure.chart svg")
    dots = chart.locator("circle")
    expect(dots).to_have_count(3)
    assert [dot.get_attribute("r") for dot in dots.all()] == ["3", "3", "3.5"]
    page = open_page(served, f"/p/default/scores?{span}")
    spark = page.locator("tr", has_text="length").locator("svg.spark")
    expect(spark.locator("circle.open")).to_have_count(1)
    expect(spark.locator("path.bar")).to_have_count(2)
