"""The trace of a run as a waterfall: keys, filter, stretch, details, and 50,000 spans."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import big_traces
from api_server import failure, memo, step
from assay.ids import span_of
from browsing import serve, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from assay.testing import Databases
    from browsing import Opener, Served
    from dashboard_server import DashboardServer

COUNT = 50_001
TREE = ["answer", "chat", "execute_tool search", "model", "attempt 1", "attempt 2", "feedback"]


@pytest.fixture(scope="module")
def traced(assay_databases: Databases) -> Iterator[Served]:
    """A server with a small trace, a large one, and one with odd texts."""
    with assay_databases.new() as database, serve(database) as served:
        served.seed(fill)
        yield served


@pytest.fixture(scope="module")
def runs(traced: Served) -> dict[str, str]:
    """The ids of their runs, by what they are."""
    found: dict[str, str] = {}

    def look(server: DashboardServer) -> None:
        listed = server.get("runs")["data"]
        found.update(zip(("odd", "large", "small"), (one["id"] for one in listed), strict=True))

    traced.seed(look)
    return found


def fill(server: DashboardServer) -> None:
    """Make the three runs, the small one first."""
    server.register("answer")
    small(server)
    big_traces.large(server)
    big_traces.odd(server)


def small(server: DashboardServer) -> None:
    """A run with tools, a failed attempt and a wait."""
    run = server.start()
    server.claim(run)
    start = server.clock.now()
    times = [start + timedelta(seconds=second) for second in range(9)]
    tried: dict[str, Any] = {"worker_id": server.worker, "error": failure("TimeoutError", "slow")}
    server.insert(
        "journal",
        memo(run, "chat", 1, output='"hello"', started_at=times[0], ended_at=times[2]),
        memo(run, "model", 2, attempts=2, started_at=times[4], ended_at=times[5]),
        memo(run, "feedback", 3, kind="wait", started_at=times[5], ended_at=times[8]),
    )
    server.insert(
        "attempts",
        step(run, "model", span=1002, attempt=1, started_at=times[2], ended_at=times[4], **tried),
    )
    tool = {"span": 20, "parent": span_of(1001, 1), "name": "execute_tool search"}
    big_traces.store(server, run, [tool])
    server.post("scores", {"run_id": run, "name": "helpful", "value": True})
    server.clock.advance(timedelta(seconds=8))
    server.finish(run, output='"done"')
    server.clock.advance(timedelta(seconds=1))


def names(page: Page) -> list[str]:
    """The names of the rows that are there, from the top."""
    rows = page.locator(".trace-row")
    found = [
        (int(row.get_attribute("aria-rowindex") or 0), row.locator("bdi").inner_text())
        for row in rows.all()
    ]
    return [name for _, name in sorted(found)]


def at(page: Page) -> Locator:
    """The row that is chosen."""
    return page.locator('.trace-row[aria-selected="true"]')


def test_a_waterfall_stands_where_the_table_was(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """A treegrid with levels, scores in their places, and what failed said in words."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}", is_open=True)
    grid = page.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", str(len(TREE) + 1))
    assert names(page) == TREE
    levels = [row.get_attribute("aria-level") for row in page.locator(".trace-row").all()]
    assert sorted(map(str, levels)) == ["1", "2", "2", "2", "3", "3", "3"]
    expect(page.locator(".trace-row", has_text="helpful")).to_contain_text("helpful ● true")
    expect(page.locator(".trace-row", has_text="attempt 1")).to_contain_text("error:")
    expect(page.locator("assay-waterfall table")).to_have_count(0)
    assert violations(page) == []


def test_keys_walk_through_the_tree(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """Arrows, Home, End; left folds and goes up, right unfolds and goes in."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}")
    page.get_by_role("treegrid").focus()
    for keys, name in (
        (["ArrowDown"], "answer"),
        (["ArrowDown"], "chat"),
        (["End"], "feedback"),
        (["ArrowUp"], "attempt 2"),
        (["ArrowLeft"], "model"),
        (["Home"], "answer"),
        (["j", "j", "k"], "chat"),
    ):
        for key in keys:
            page.keyboard.press(key)
        expect(at(page)).to_contain_text(name)
    page.keyboard.press("ArrowLeft")
    expect(at(page)).to_have_attribute("aria-expanded", "false")
    assert "execute_tool search" not in names(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(at(page)).to_contain_text("execute_tool search")


def test_details_come_when_a_span_is_looked_at(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """In the panel, which follows the keys; the address says which, and leads back to it."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}")
    page.locator(".trace-row", has_text="chat").click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("hello")
    expect(page).to_have_url(re.compile(rf"span={1001:016x}"))
    page.get_by_role("treegrid").focus()
    page.keyboard.press("End")
    expect(panel).to_contain_text("feedback")
    page.reload()
    expect(at(page)).to_contain_text("feedback")
    expect(panel).to_contain_text("feedback")


def test_e_jumps_to_what_failed(open_page: Opener, traced: Served, runs: dict[str, str]) -> None:
    """From anywhere, in a folded tree too."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}")
    page.get_by_role("button", name="Fold all", exact=True).click()
    assert names(page) == ["answer", "chat", "model", "feedback"]
    page.keyboard.press("e")
    expect(at(page)).to_contain_text("attempt 1")


def test_a_filter_shows_what_fits_with_what_is_above(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """By name, kind or status."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}")
    expect(page.get_by_role("treegrid")).to_be_visible()
    page.keyboard.press("/")
    for text, expected in (
        ("search", ["answer", "chat", "execute_tool search"]),
        ("error", ["answer", "model", "attempt 1"]),
        ("wait", ["answer", "feedback"]),
    ):
        page.get_by_label("Filter spans").fill(text)
        expect(page.locator(".trace-row")).to_have_count(len(expected))
        assert names(page) == expected


def test_a_stretch_of_time_is_drawn_larger(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """By a drag over the strip, or z for a span; 0 shows all again."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}")
    page.locator(".trace-row", has_text="model").click()
    page.get_by_role("treegrid").focus()
    page.keyboard.press("z")
    assert names(page) == ["answer", "chat", "model", "attempt 1", "attempt 2", "feedback"]
    page.keyboard.press("0")
    assert names(page) == TREE
    box = page.locator("canvas.overview").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 20)
    page.mouse.up()
    expect(page.locator(".trace-row")).to_have_count(2)
    assert names(page) == ["answer", "feedback"]


def test_of_fifty_thousand_spans_only_those_in_sight_are_there(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """From the first to the last, and any that is named."""
    page = open_page(traced, f"/p/default/runs/{runs['large']}")
    grid = page.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", str(COUNT + 1))
    rows = page.locator(".trace-row")
    assert rows.count() < 70
    grid.focus()
    page.keyboard.press("End")
    expect(at(page)).to_have_attribute("aria-rowindex", str(COUNT + 1))
    grid.evaluate("grid => grid.scrollTo(0, grid.scrollHeight / 2)")
    middle = page.locator(f'.trace-row[aria-rowindex="{COUNT // 2}"]')
    expect(middle).to_be_visible()
    assert rows.count() < 70
    page.keyboard.press("Home")
    page.keyboard.press("e")
    expect(at(page)).to_contain_text("error:")
    page.get_by_label("Filter spans").fill("query 39")
    expect(page.locator(".trace-row bdi", has_text="query 39").first).to_be_visible()
    assert rows.count() < 70


@pytest.mark.parametrize(("scheme", "width"), [("light", 1600), ("dark", 360)])
def test_texts_of_all_kinds_stay_in_their_rows(
    open_page: Opener, traced: Served, runs: dict[str, str], scheme: str, width: int
) -> None:
    """Arabic, emoji, names of 200 characters, markup, marks that turn text; a message of 2 MB."""
    path = f"/p/default/runs/{runs['odd']}"
    page = open_page(traced, path, width=width, scheme=scheme, is_open=True)
    row = page.locator(".trace-row", has_text=big_traces.EMOJI)
    expect(page.locator(".trace-row", has_text=big_traces.ARABIC)).to_be_visible()
    expect(page.locator(".trace-row", has_text="<script>")).to_contain_text("\u27e8U+202E\u27e9")
    rows = "[...document.querySelectorAll('.trace-row')]"
    heights = page.evaluate(f"{rows}.map(row => row.getBoundingClientRect().height)")
    assert set(heights) == {27}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    row.click()
    expect(page.locator("#panel")).to_contain_text("long long")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_the_first_spans_are_a_table(
    open_page: Opener, traced: Served, runs: dict[str, str]
) -> None:
    """On the run its steps; the whole trace on a page of its own, 200 rows of it."""
    page = open_page(traced, f"/p/default/runs/{runs['small']}", scripts=False)
    expect(page.locator("assay-waterfall table")).to_contain_text("feedback")
    page = open_page(traced, f"/p/default/runs/{runs['large']}/trace", scripts=False)
    expect(page.locator("main tbody tr")).to_have_count(200)
    expect(page.locator("main")).to_contain_text("The first 200 of 50\u202f001 spans")
