"""How exposures of an experiment grew: every one of them, by the time of its run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from assay.dashboard.texts import iso
from assay.ids import parse
from project_story import serve
from project_words import Words

if TYPE_CHECKING:
    from dashboard_server import DashboardServer
    from html_pages import Element

WORDS = Words()


@pytest.fixture
def served(dash: DashboardServer) -> DashboardServer:
    """Thirty runs, one each seven hours, are served both variants by turns."""
    dash.register("answer")
    runs = []
    for _ in range(30):
        dash.clock.advance(timedelta(hours=7))
        runs.append(dash.start())
    dash.clock.advance(timedelta(minutes=1))
    serve(dash, WORDS, "style", runs)
    return dash


def reached(page: Element, variant: str) -> list[int]:
    """How often a variant had been served at each point."""
    rows = [row for row in page.one("table", id="growth").rows() if row["Variant"] == variant]
    totals = [int(row["In all"]) for row in rows]
    steps = [int(row["Since before"]) for row in rows]
    assert totals == [sum(steps[: place + 1]) for place in range(len(steps))]
    return totals


def test_exposures_grow_to_all_of_them(served: DashboardServer) -> None:
    """From none; the points are not too many to read."""
    page = served.look("/experiments/style")
    for variant in (WORDS.control, WORDS.variant):
        totals = reached(page, variant)
        assert (totals[0], totals[-1]) == (0, 15)
        assert 10 < len(totals) <= 61


def test_at_a_cutoff_later_ones_are_not_there(served: DashboardServer) -> None:
    """As in all that the page says."""
    cutoff = served.clock.now() - timedelta(hours=7 * 10)
    page = served.look("/experiments/style", cutoff=iso(cutoff))
    assert sum(reached(page, one)[-1] for one in (WORDS.control, WORDS.variant)) in {19, 20}


def test_of_years_there_are_few_points(served: DashboardServer) -> None:
    """What came long after widens them, and is counted too."""
    served.clock.advance(timedelta(days=700))
    late = parse(served.start())
    served.insert(
        "exposures",
        {"experiment": "style", "run_id": late, "idx": 0, "variant": WORDS.control, "epoch": 1}
        | {"unit": "late", "forced": False, "at": served.clock.now(), "p": 0.5},
    )
    served.clock.advance(timedelta(minutes=1))
    totals = reached(served.look("/experiments/style"), WORDS.control)
    assert totals[-1] == 16
    assert len(totals) <= 61
