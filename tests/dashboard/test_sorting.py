"""Heads put a table that is whole on its page in order: by its address alone, and both ways."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import html_pages
from assay.dashboard.sorting import MOST, Sorting

if TYPE_CHECKING:
    from dashboard_server import DashboardServer
    from html_pages import Element

PLACES = {
    "/functions": (
        "function", "app", "runs", "failed", "median", "p95", "queued", "running", "waiting",
    ),
    "/scores": ("score", "type", "mean", "runs", "pending", "timed_out", "missing", "last"),
    "/sessions": ("key", "sessions", "runs", "each", "last"),
}  # fmt: skip


def fill(dash: DashboardServer) -> None:
    """Three functions, keys and names of scores with 1, 2 and 3 runs."""
    for n, word in enumerate(("middle", "few", "zeal"), 1):
        dash.register(word, event=word)
        for at in range(n):
            run = dash.start(name=word, sessions={word: f"s{at}"})
            dash.finish(run, "failed" if at else "completed")
            dash.post("scores", {"run_id": run, "name": word, "value": n})
    dash.clock.advance(timedelta(minutes=1))


def keys(page: Element) -> list[str]:
    """What rows are of."""
    rows = page.one("tbody", data_live_rows="").all("tr")
    return [row.attributes["data-key"].rpartition("/")[2] for row in rows]


def test_every_head_leads_to_its_order_and_then_to_the_other(dash: DashboardServer) -> None:
    """And says which way the table is in order; the other heads say nothing."""
    fill(dash)
    for place, names in PLACES.items():
        for name in names:
            page = dash.look(place, sort=f"-{name}")
            (head,) = page.all("th", aria_sort="descending")
            assert not page.all("th", aria_sort="ascending")
            back = html_pages.read(dash.ask("GET", head.one("a").attributes["href"]).text)
            assert len(back.all("th", aria_sort="ascending")) == 1
            assert sorted(keys(back)) == sorted(keys(page)) == ["few", "middle", "zeal"]
        (first,) = dash.look(place).one("thead").all("a")[:1]
        following = html_pages.read(dash.ask("GET", first.attributes["href"]).text)
        assert keys(following) == ["few", "middle", "zeal"]
        assert keys(dash.look(place, sort="-runs")) == ["zeal", "few", "middle"]
        assert keys(dash.look(place, sort="runs")) == ["middle", "few", "zeal"]


def test_rows_without_a_value_are_the_last_either_way() -> None:
    """A missing one is neither the least nor the greatest."""
    columns = {"n": lambda one: one}
    rows = [2.0, None, 3.0, 1.0]
    assert Sorting("n").of(rows, columns) == [1.0, 2.0, 3.0, None]
    assert Sorting("n", is_descending=True).of(rows, columns) == [3.0, 2.0, 1.0, None]
    assert Sorting(None).of(rows, columns) == rows


def test_what_is_no_order_of_the_table_is_refused(dash: DashboardServer) -> None:
    """An unknown column, a page of another order, more rows than one page holds."""
    for place in PLACES:
        refused = dash.ask("GET", f"/p/default{place}?sort=colour")
        assert refused.status_code == 422
        assert "bad_filter" in refused.text
    fill(dash)
    cursor = dash.get("functions", limit=1)["next"]
    assert dash.ask("GET", f"/p/default/functions?sort=runs&cursor={cursor}").status_code == 400
    for n in range(MOST):
        dash.register(f"f{n}")
    refused = dash.ask("GET", "/p/default/functions?sort=runs")
    assert (refused.status_code, "order_too_wide" in refused.text) == (422, True)
