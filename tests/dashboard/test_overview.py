"""The overview and the pages of functions: their numbers are those of the API."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from api_server import APP
from assay.store import registrations

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

TO = "\N{EN DASH}"


def fill(dash: DashboardServer) -> None:
    """Seven runs: four completed, two failed, one queued; three of them scored."""
    dash.register("answer")
    scored = [True, True, False, None, None, None, None]
    for status, value in zip([*["completed"] * 4, "failed", "failed", None], scored, strict=True):
        run = dash.start()
        if status is not None:
            dash.clock.advance(timedelta(seconds=1))
            dash.claim(run)
            dash.finish(run, status)
        if value is not None:
            dash.post("scores", {"name": "ok", "value": value, "run_id": run})
    dash.promise(dash.get("runs", limit=1)["data"][0]["id"], "ok")
    dash.clock.advance(timedelta(seconds=1))


def test_figures_are_those_of_the_rows_behind_them(dash: DashboardServer) -> None:
    """Each number leads to a list of the API with so many rows."""
    fill(dash)
    page = dash.look("/")
    figures = page.one("dl", class_="figures")
    links = {link.text: link.attributes["href"] for link in figures.all("a") if link.text.isdigit()}
    assert links.keys() >= {"7", "1", "0"}
    for text, href in links.items():
        rows = dash.ask("GET", href.replace("/p/default/runs", "/api/v1/runs")).json()["data"]
        assert len(rows) == int(text)
    failed = figures.one(class_="rate")
    assert "33.3" in failed.text
    assert "n 6" in failed.text


def test_a_score_stands_with_its_interval_its_n_and_what_is_still_open(
    dash: DashboardServer,
) -> None:
    """A share of the runs that have it; what is pending is not in it."""
    fill(dash)
    (table,) = [
        t
        for t in dash.look("/").one("main").all("table", class_="grid")
        if "Score" in t.one("thead").text
    ]
    (row,) = table.rows()
    assert row["Score"] == "ok"
    assert row["Runs"] == "3"
    assert row["Pending"] == "1"
    assert "66.7" in row["Mean, 95 % interval"]
    (same,) = dash.get("scores/names")["data"]
    low, high = (100 * bound for bound in same["estimate"]["ci"])
    assert f"{low:.1f}{TO}{high:.1f}" in row["Mean, 95 % interval"]


def test_runs_of_a_session_are_not_independent(dash: DashboardServer) -> None:
    """Twelve sessions that each fail whole or not at all: intervals are those of twelve values."""
    dash.register("answer")
    for place in range(48):
        run = dash.start(sessions={"ticket": str(place % 12)})
        dash.claim(run)
        dash.finish(run, "failed" if place % 12 < 3 else "completed")
        dash.post("scores", {"name": "ok", "value": place % 12 >= 3, "run_id": run})
    dash.clock.advance(timedelta(seconds=1))
    (same,) = dash.get("scores/names")["data"]
    assert same["estimate"]["n_units"] == 12
    low, high = (100 * bound for bound in same["estimate"]["ci"])
    page = dash.look("/").one("main")
    (row,) = page.one("section", aria_labelledby="scores").one("table").rows()
    assert f"{low:.1f}{TO}{high:.1f}" in row["Mean, 95 % interval"]
    # As many fail as don't score: their interval is the same, seen from the other end.
    told = f"{100 - high:.1f}{TO}{100 - low:.1f}"
    assert told in page.one("dl", class_="figures").one(class_="rate").text
    page = dash.look(f"/functions/{APP}/answer")
    assert told in page.one("dl", class_="figures").one(class_="rate").text
    (of_one,) = dash.look("/functions").one("main").one("table").rows()
    assert told in of_one["Failed, 95 % interval"]


def test_a_function_has_its_own_numbers(dash: DashboardServer) -> None:
    """In the list of functions and on its page."""
    fill(dash)
    (row,) = dash.look("/functions").one("main").one("table").rows()
    assert (row["Function"], row["Runs"], row["Queued"]) == ("answer", "7", "1")
    page = dash.look(f"/functions/{APP}/answer")
    assert page.one("h1").text == "answer"
    assert page.one("dl", class_="figures").all("a")[0].text == "7"
    assert dash.ask("GET", "/p/default/functions/no/no").status_code == 404


def test_a_scorer_leads_to_what_it_promised(dash: DashboardServer) -> None:
    """What it was registered with is said in words; the schema of its data is whole, and folded."""
    schema = {"type": "object", "properties": {f"field_{n}": {"type": "string"} for n in range(40)}}
    options = {"retries": 4, "scores": ["helped"], "schema": schema, "triggers": []}
    row = {"app": APP, "fn": "ask", "kind": "scorer", "version": "v1", "triggers": []}
    dash.run(
        registrations.register(
            dash.connection,
            [row | {"options": options}],
            project=1,
            source="",
            now=dash.clock.now(),
        )
    )
    about = dash.look(f"/functions/{APP}/ask").one("section", aria_labelledby="registered")
    (way,) = [link for link in about.all("a") if link.text == "helped"]
    assert way.attributes["href"] == "/p/default/outcomes?scorer=ask&name=helped"
    assert json.loads(about.one("pre").text) == schema
    assert [one.text for one in about.all("dt")] == [
        *("Kind", "Version", "Starts on", "Promises", "Retries", "Schema", "Last seen")
    ]


@pytest.mark.parametrize("word", ["1h", "7d", "30d"])
def test_a_window_is_chosen_by_the_address(dash: DashboardServer, word: str) -> None:
    """And an unknown one is refused."""
    fill(dash)
    assert (
        dash.look("/", window=word).one("nav", class_="windows").one("a", aria_current="true").text
        == word
    )
    assert dash.ask("GET", "/p/default/?window=2h").status_code == 422


def test_runs_before_the_window_are_not_counted(dash: DashboardServer) -> None:
    """The newest run is named all the same."""
    fill(dash)
    newest = dash.get("runs", limit=1)["data"][0]["id"]
    dash.clock.advance(timedelta(hours=2))
    page = dash.look("/", window="1h")
    assert "No run was queued in the last 1h" in page.one("main").text
    assert page.all("a", title=newest)
