"""The page of outcomes: its numbers are the API's, and what is overdue is found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import html_pages
from api_server import step
from assay.ids import parse

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

TABLES = ("by-scorer", "by-age", "by-function")


@pytest.fixture
def promised(dash: DashboardServer) -> DashboardServer:
    """Eleven runs: six promises observed after as many minutes, three timed out, two pending."""
    dash.register("answer")
    runs = [dash.start(sessions={"ticket": str(place)}) for place in range(11)]
    for run in runs:
        dash.promise(run, "<b>good")
    for place, run in enumerate(runs[:9]):
        dash.clock.advance(timedelta(minutes=1))
        dash.promise(run, "<b>good", "observed" if place < 6 else "timed_out")
    return dash


def wait(server: DashboardServer, run: str) -> None:
    """Have the scorer of a run's promise wait for what should have come an hour ago."""
    child, now = server.ulid(), server.clock.now()
    server.insert(
        "defers",
        {
            "run_id": parse(run),
            "defer_id": "d",
            "scorer": "judge",
            "names": ["<b>good"],
            "state": "started",
            "child_run": child,
            "promised_at": now,
        },
    )
    server.insert(
        "runs",
        {
            "id": child,
            "app": "app",
            "fn": "judge",
            "kind": "scorer",
            "version": "v1",
            "event_id": child,
            "parent_run": parse(run),
            "parent_defer": "d",
            "trace": parse(run),
            "queued_at": now,
        },
    )
    usual = {"kind": "wait", "span": 1, "since": now, "registered_at": now}
    late = {"expires_at": now - timedelta(hours=1), "run_id": child}
    server.insert("waits", step(run, "wait", **usual) | late)


def test_the_ledger_is_the_apis(promised: DashboardServer) -> None:
    """Promised, pending, observed and timed out: by scorer, by age, and as links to them."""
    (one,) = promised.get("outcomes/summary")["by_scorer"]
    assert (one["n"], one["states"]["observed"], one["states"]["timed_out"]) == (11, 6, 3)
    page = promised.look("/outcomes")
    (row,) = page.one("table", id="by-scorer").rows()
    assert row["Score"] == "<b>good"
    assert (row["Promised"], row["○ Pending"]) == ("11", str(one["states"]["pending"]))
    assert (row["● Observed"], row["◇ Timed out"], row["▲ Failed"]) == ("6", "3", "0")
    assert row["Observed so far"].startswith("54.5")
    (age,) = promised.get("outcomes/summary")["by_age"]
    (row,) = page.one("table", id="by-age").rows()
    assert (row["Age"], row["Promised"]) == ("1 min to 1 h", str(age["n"]))
    cells = page.one("table", id="by-scorer").one("tbody").one("tr").cells()
    link = cells[5].one("a").attributes["href"]
    listed = html_pages.read(promised.ask("GET", link).text).one("table", id="promises").rows()
    assert [row["State"] for row in listed] == ["●observed"] * 6


def test_the_curve_matures(promised: DashboardServer) -> None:
    """Each score lifts it; what timed out stays in it, and what is pending is followed till now."""
    (one,) = promised.get("outcomes/summary")["by_scorer"]
    assert [round(point["share"] * 11) for point in one["curve"]] == [1, 2, 3, 4, 5, 6]
    assert one["curve"][0]["ci"][0] < 1 / 11 < one["curve"][0]["ci"][1]
    rows = promised.look("/outcomes").one("table", id="maturity").rows()
    assert [row["At risk"] for row in rows] == [str(p["at_risk"]) for p in one["curve"]]


def test_what_is_overdue_is_found(promised: DashboardServer) -> None:
    """A scorer that still waits for what should have come before now."""
    (late, _) = promised.get("outcomes", state="pending")["data"]
    assert promised.get("outcomes", overdue=True)["data"] == []
    wait(promised, late["run_id"])
    (found,) = promised.get("outcomes", overdue=True, scorer="judge")["data"]
    assert found["run_id"] == late["run_id"]
    page = promised.look("/outcomes", overdue="true")
    (row,) = page.one("table", id="by-scorer").rows()
    assert row["Overdue"] == "◇ 1"
    (row,) = page.one("table", id="promises").rows()
    assert "overdue" in row["Due"]


def test_each_number_leads_to_so_many_promises(promised: DashboardServer) -> None:
    """Those of its own time and function alone, on whichever page it stands."""
    day = timedelta(days=1)
    promised.clock.advance(2 * day)
    promised.register("ask", event="other")
    for place in range(2):
        run = promised.start(name="other", sessions={"ticket": f"new-{place}"})
        promised.promise(run, "<b>good")
    promised.clock.advance(timedelta(seconds=1))
    pages = (
        promised.look("/outcomes", days="1"),
        promised.look("/outcomes", days="7"),
        promised.look("/outcomes", days="7", state="timed_out", overdue="true", name="none"),
        promised.look("/scores", days="1"),
        promised.look("/scores/%3Cb%3Egood", days="1"),
        promised.look("/", window="24h"),
        promised.look("/"),
    )
    for page in pages:
        links = {
            link.attributes["href"]: int(link.text)
            for link in page.one("main").all("a")
            if "/outcomes?" in link.attributes["href"] and link.text.isdigit()
        }
        assert links
        for table in [one for id_ in TABLES for one in page.all("table", id=id_)]:
            numbers = [cell for cell in table.all("td") if cell.text.isdigit() and cell.text != "0"]
            assert all(cell.all("a") for cell in numbers)
        for href, n in links.items():
            listed = html_pages.read(promised.ask("GET", href).text)
            tables = listed.all("table", id="promises")
            assert sum(len(table.rows()) for table in tables) == n, href


def test_promises_are_those_of_a_function(promised: DashboardServer) -> None:
    """Of its app, where that is said too."""
    run = promised.get("runs", limit=1)["data"][0]
    asked = {"function_id": run["function_id"], "app_id": run["app_id"]}
    assert len(promised.get("outcomes", **asked)["data"]) == 11
    assert promised.get("outcomes", function_id="no")["data"] == []
    assert promised.get("outcomes", app_id="no")["data"] == []


def test_another_filter_keeps_those_without_a_field(promised: DashboardServer) -> None:
    """What a number led here by stays when the form is sent again."""
    kept = {
        "days": "30",
        "app_id": "app",
        "function_id": "answer",
        "queued_after": "2020-01-01T00:00:00Z",
        "queued_before": "2090-01-01T00:00:00Z",
        "promised_after": "2020-01-01T00:00:00Z",
        "promised_before": "2090-01-01T00:00:00Z",
    }
    form = promised.look("/outcomes", **kept).one("form", id="filters")
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert kept.items() <= fields.items()
