"""Bars of runs over time: each leads to as many runs as it counts, in whatever range."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from assay.dashboard.texts import iso

if TYPE_CHECKING:
    from dashboard_server import DashboardServer
    from html_pages import Element

STATUSES = ("completed", "failed", "cancelled", None)


@pytest.fixture
def spread(dash: DashboardServer) -> DashboardServer:
    """Twelve runs, each seven hours after the one before; every fourth one is live."""
    dash.register("answer")
    for place in range(12):
        dash.clock.advance(timedelta(hours=7))
        run, status = dash.start(), STATUSES[place % 4]
        if status is not None:
            dash.finish(run, status)
    dash.clock.advance(timedelta(minutes=1))
    return dash


def bars(page: Element) -> list[dict[str, str]]:
    """The bars of a page, as its table has them."""
    return page.one("figure", class_="volume").one("table").rows()


def check_that_bars_lead_to_runs(server: DashboardServer, page: Element) -> int:
    """How many runs there are in all bars; each leads to so many, and each part of it."""
    found = 0
    for row in page.one("figure", class_="volume").one("table").one("tbody").all("tr"):
        whole, *_ = links = row.all("a")
        found += int(whole.text)
        for link in links:
            path = link.attributes["href"].replace("/p/default/runs", "/api/v1/runs")
            assert len(server.ask("GET", path).json()["data"]) == int(link.text), path
        parts = [cell for cell in row.cells()[2:] if cell.text != "0" and not cell.all("a")]
        assert len(parts) <= 1, "only live runs have no status of their own"
    return found


@pytest.mark.parametrize(
    "query", [{}, {"status": "failed"}, {"function_id": "answer"}, {"function_id": "no"}]
)
@pytest.mark.parametrize("hours", [None, 1, 30, 49.9, 3_000, 300_000])
def test_a_bar_leads_to_the_runs_that_it_counts(
    spread: DashboardServer, hours: float | None, query: dict[str, str]
) -> None:
    """For a part of the runs too, and from any instant on: all that the list has."""
    since = {} if hours is None else {"queued_after": iso(_back(spread, hours))}
    page = spread.look("/runs", **query, **since)
    listed = spread.get("runs", **query, **since)["data"]
    if not listed:
        assert page.all("figure", class_="volume") == []
        return
    found = check_that_bars_lead_to_runs(spread, page)
    if hours is not None:
        assert found == len(listed)
    svg = page.one("svg", class_="bars").attributes
    assert 1 <= int(svg["data-count"]) <= 60 + 1


def _back(server: DashboardServer, hours: float) -> datetime:
    return server.clock.now() - timedelta(hours=hours)


def test_bars_are_of_each_status(spread: DashboardServer) -> None:
    """Completed, live, cancelled and failed, one above the other."""
    rows = bars(spread.look("/runs", queued_after=iso(_back(spread, 100))))
    for name in ("Completed", "Live", "Cancelled", "Failed"):
        assert sum(int(row[name]) for row in rows) == 3, name
    assert sum(int(row["Runs"]) for row in rows) == 12


def test_without_a_range_bars_reach_back_to_the_newest_run(spread: DashboardServer) -> None:
    """Of a day, where there is one in it; else of as much as it takes."""
    assert sum(int(row["Runs"]) for row in bars(spread.look("/runs"))) == 4
    spread.clock.advance(timedelta(days=20))
    assert sum(int(row["Runs"]) for row in bars(spread.look("/runs"))) == 12


@pytest.mark.parametrize(
    "query", [{"score": "ok"}, {"status": "queued"}, {"session_key": "ticket"}, {"experiment": "x"}]
)
def test_there_are_no_bars_of_what_is_not_counted(
    spread: DashboardServer, query: dict[str, str]
) -> None:
    """A bar would count other runs than the list has."""
    assert spread.look("/runs", **query).all("figure", class_="volume") == []


def test_of_very_many_runs_each_hour_is_a_bar(
    spread: DashboardServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are counted already."""
    since = iso(_back(spread, 1))
    narrow = spread.look("/runs", queued_after=since).one("svg", class_="bars")
    assert narrow.attributes["data-width-s"] == "60.0"
    monkeypatch.setattr("assay.dashboard.volumes.MOST_ROWS", 0)
    wide = spread.look("/runs", queued_after=since)
    assert wide.one("svg", class_="bars").attributes["data-width-s"] == "3600.0"
    assert check_that_bars_lead_to_runs(spread, wide) == 1
