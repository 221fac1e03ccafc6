"""What a page offers as SQL gives the rows that it shows, whatever they are called."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from assay.dashboard import filters
from assay.dashboard.asking import part
from assay.dashboard.registry import PAGES
from copied_statements import offered, results, rows
from dashboard_server import DashboardServer
from project_story import SPAN, STEP_SPAN, tell
from project_words import Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from assay.testing import Databases
    from project_story import Story

Told = tuple[DashboardServer, "Story"]


@pytest.fixture(scope="module", params=[Words(), hostile()], ids=["usual", "hostile"])
def told(request: pytest.FixtureRequest, assay_databases: Databases) -> Iterator[Told]:
    """A project in usual words, and the same in the worst."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        yield server, tell(server, request.param)


def offered_by_panel(server: DashboardServer, run: str, span: int) -> str:
    """The statements that the panel of a span offers."""
    panel = server.look(f"/runs/{run}/spans/{span:016x}")
    return panel.one("pre", aria_label="SQL of the span").exact


def test_the_list_of_runs_by_each_of_its_filters(told: Told) -> None:
    """The same runs in the same order, all of them."""
    server, story = told
    words = story.words
    then = server.clock.now() - timedelta(seconds=3)
    asked: list[dict[str, object]] = [
        {},
        {"limit": 3},
        {"function_id": words.scorer},
        {"app_id": words.app, "function_id": words.function},
        {"session_key": words.session_key},
        {"session_key": words.session_key, "session_id": words.session_id},
        {"session_key": words.session_key, "session_id": "another"},
        {"score": words.score},
        {"score": words.score, "score_is": "no"},
        {"score": words.rating, "score_min": 2.4, "score_max": 2.6},
        {"experiment": words.experiment, "variant": words.variant},
        {"experiment": words.experiment, "unit": f"{words.unit}1"},
        {"experiment": words.experiment, "exposed_before": then},
        {"experiment": words.experiment, "exposed_after": then},
        {"experiment": words.experiment, "forced": "true"},
        {"experiment": words.experiment, "without_unit": "false"},
        {"queued_after": then.isoformat()},
        {"queued_before": then.isoformat()},
        {"queued_after": "2026-01-01T00:00:00Z", "order": "longest"},
        {"queued_after": "2026-01-01T00:00:00Z", "order": "longest", "status": "failed"},
    ]
    asked += [{"status": status} for status in story.runs]
    sizes = set()
    for query in asked:
        statement = offered(server.look("/runs", **query))
        found = [row["id"] for row in rows(server, statement)]
        query.pop("limit", None)
        assert found == [run["id"] for run in server.pages("runs", **query)], statement
        sizes.add(len(found))
    assert len(sizes) > 4


def test_a_run_with_its_steps_scores_and_promises(told: Told) -> None:
    """Each as the API has them, in its order."""
    server, story = told
    for id_ in story.runs.values():
        run = server.get(f"runs/{id_}")
        (one,), steps, scores, outcomes = results(server, offered(server.look(f"/runs/{id_}")))
        for name in ("id", "app_id", "function_id", "status", "trace_id", "parent_run_id"):
            assert one[name] == run[name]
        assert [one["event_id"]] == run["event_ids"]
        ended = [step for step in run["steps"] if step["seq"] is not None]
        for name in ("seq", "index", "kind", "status"):
            assert [step[name] for step in steps] == [step[name] for step in ended]
        assert [score["id"] for score in scores] == [score["id"] for score in run["scores"]]
        assert [float(score["value"]) for score in run["scores"]] == [
            score["value"] for score in scores
        ]
        assert [one["state"] for one in outcomes] == [one["state"] for one in run["outcomes"]]


def test_sessions_with_their_runs_counted(told: Told) -> None:
    """The keys, the sessions of one, and a session with its runs in the order of time."""
    server, story = told
    key, id_ = story.words.session_key, story.words.session_id
    keys = rows(server, offered(server.look("/sessions")))
    for name in ("key", "session_count", "run_count"):
        assert [one[name] for one in keys] == [one[name] for one in server.pages("sessions")]
    path = f"/sessions/{part(key)}"
    listed = server.pages(path[1:])
    (session,), runs = results(server, offered(server.look(f"{path}/{part(id_)}")))
    for found in (rows(server, offered(server.look(path))), [session]):
        for name in ("id", "run_count", "failed_run_count", "functions"):
            assert [one[name] for one in found] == [one[name] for one in listed]
        assert found[0]["last_active_at"] == datetime.fromisoformat(listed[0]["last_active_at"])
    newest_first = server.pages(f"{path}/{part(id_)}/runs"[1:])
    assert [run["id"] for run in runs] == [run["id"] for run in newest_first[::-1]] != []


def test_scores_by_name(told: Told) -> None:
    """The names with their numbers, and the runs behind the numbers of one."""
    server, story = told
    names = rows(server, offered(server.look("/scores")))
    known = server.pages("scores/names")
    assert [one["name"] for one in names] == [one["name"] for one in known]
    assert len(names) == 2
    for one, expected in zip(names, known, strict=True):
        assert one["runs"] == expected["n"] > 0
        assert one["mean"] == pytest.approx(expected["estimate"]["estimate"])
        assert (one["least"], one["greatest"]) == (expected["min"], expected["max"])
    for name in (story.words.score, story.words.rating):
        found = rows(server, offered(server.look(f"/scores/{part(name)}")))
        runs = server.pages("runs", score=name)
        assert [one["run_id"] for one in found] == [run["id"] for run in runs] != []


def test_outcomes_by_each_of_their_filters(told: Told) -> None:
    """The same promises in the same order."""
    server, story = told
    words = story.words
    then = (server.clock.now() - timedelta(seconds=3)).isoformat()
    asked: list[dict[str, object]] = [
        {},
        {"name": words.rating},
        {"state": "timed_out"},
        {"scorer": "judge"},
        {"scorer": "nobody"},
        {"run_id": story.runs["completed"]},
        {"app_id": words.app, "function_id": words.function},
        {"session_key": words.session_key, "session_id": words.session_id},
        {"queued_after": then},
        {"queued_before": then},
        {"promised_after": then},
        {"promised_before": then},
        {"overdue": "true"},
    ]
    for query in asked:
        found = rows(server, offered(server.look("/outcomes", **query)))
        outcomes = server.pages("outcomes", **query)
        for name in ("run_id", "defer_id", "name", "state", "scorer", "reason"):
            assert [one[name] for one in found] == [one[name] for one in outcomes], query


def test_experiments_and_their_units(told: Told) -> None:
    """The list; one with the units that its numbers rest on; and all units, or some."""
    server, story = told
    found = rows(server, offered(server.look("/experiments")))
    listed = server.pages("experiments")
    for name in ("id", "strategy", "variants", "plan_version"):
        assert [one[name] for one in found] == [one[name] for one in listed]
    for id_ in story.experiments:
        path = f"/experiments/{part(id_)}"
        (one,), units = results(server, offered(server.look(path)))
        arms = server.get(f"{path[1:]}/results")["metrics"][0]["arms"]
        assert one["id"] == id_
        assert {unit["variant"]: unit["units"] for unit in units} == {
            arm["variant"]: arm["tally"]["units"] for arm in arms
        }
        began = server.get(path[1:])["first_seen"]
        asked: list[tuple[dict[str, object], int]] = [
            ({}, 18),
            ({"variant": story.words.variant}, 9),
            ({"exposed_before": began}, 0),
            ({"epoch": 1}, 18),
            ({"epoch": 2}, 0),
        ]
        for query, n in asked:
            served = rows(server, offered(server.look(f"{path}/units", **query)))
            assigned = server.pages(f"{path[1:]}/assignments", **query)
            for name in ("unit", "variant", "epoch", "run_count"):
                assert [unit[name] for unit in served] == [unit[name] for unit in assigned]
            assert len(served) == n


def test_functions_and_the_runs_of_one(told: Told) -> None:
    """As the list of functions and that of runs have them."""
    server, story = told
    found = rows(server, offered(server.look("/functions")))
    for name in ("id", "app_id", "kind", "version"):
        assert [one[name] for one in found] == [one[name] for one in server.pages("functions")]
    app, function = story.words.app, story.words.function
    runs = rows(server, offered(server.look(f"/functions/{part(app)}/{part(function)}")))
    expected = server.pages("runs", app_id=app, function_id=function)
    assert [run["id"] for run in runs] == [run["id"] for run in expected] != []


def test_events_and_the_runs_that_one_started(told: Told) -> None:
    """By each filter of the list, with data and sessions as they were sent."""
    server, story = told
    then = (server.clock.now() - timedelta(seconds=3)).isoformat()
    for query in (
        {},
        {"name": story.words.event},
        {"name": "unknown"},
        {"received_after": then},
        {"name": story.words.event, "received_before": then},
    ):
        found = rows(server, offered(server.look("/events", **query)))
        events = server.pages("events", **query)
        for name in ("id", "name", "key", "data"):
            assert [one[name] for one in found] == [one[name] for one in events], query
    for id_ in story.events:
        (event,), started = results(server, offered(server.look(f"/events/{id_}")))
        expected = server.get(f"events/{id_}")
        assert event["id"] == id_
        assert [run["id"] for run in started] == [run["id"] for run in expected["started_runs"]]


def test_a_span_with_what_belongs_to_it(told: Told) -> None:
    """A step with its tries, spans and scores; a span of code; a run's own span is the run."""
    server, story = told
    run, words = story.runs["completed"], story.words
    (steps, tries, inner, scores) = results(server, offered_by_panel(server, run, STEP_SPAN))
    assert [(step["step_id"], step["index"]) for step in steps] == [(words.step, 0)]
    assert [one["attempt"] for one in tries] == [1]
    assert inner[0]["name"] == words.span
    assert {span["span_id"] for span in inner} >= {f"{SPAN:016x}"}
    assert [score["name"] for score in scores] == [words.rating]
    ((span,),) = results(server, offered_by_panel(server, run, SPAN))
    assert (span["span_id"], span["name"]) == (f"{SPAN:016x}", words.span)
    assert (span["step_id"], span["run_id"]) == (words.step, run)


def test_the_statement_of_a_later_page_begins_with_its_first_row(told: Told) -> None:
    """Of the long lists; of another it says that it begins with the first row of the list."""
    server, story = told
    queries: list[tuple[str, dict[str, object]]] = [
        ("runs", {}),
        ("events", {}),
        ("events", {"name": story.words.event}),
        ("outcomes", {}),
    ]
    for path, query in queries:
        asked = {**query, "cursor": server.get(path, limit=2, **query)["next"]}
        found = rows(server, offered(server.look(f"/{path}", **asked)))
        expected = server.pages(path, **query)[2:]
        names = ("run_id", "name", "defer_id") if path == "outcomes" else ("id",)
        assert [[row[name] for name in names] for row in found] == [
            [one[name] for name in names] for one in expected
        ]
        assert found
    cursor = server.get("experiments", limit=1)["next"]
    words = "It begins with the first row"
    assert words in server.look("/experiments", cursor=cursor).text
    for path, asked in (("/experiments", {}), ("/runs", {"limit": 2})):
        assert words not in server.look(path, **asked).text


def test_every_list_and_record_offers_its_statements(told: Told) -> None:
    """What has an address in the API has them."""
    server, story = told
    for page in PAGES:
        # The whole trace is a part of its run, which has the statement.
        if page.api is not None and not page.is_panel and page.template != "trace.html":
            for place in story.places(page):
                assert results(server, offered(server.look(place))), place


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("runs", filters.Runs),
        ("outcomes", filters.Outcomes),
        ("events", filters.Events),
        ("experiments/{experiment_id}/assignments", filters.Units),
    ],
)
def test_statements_know_every_filter_of_their_list(
    dash: DashboardServer, path: str, model: type[BaseModel]
) -> None:
    """One that they didn't would be left out, and more rows given than the page shows."""
    parameters = dash.app.openapi()["paths"][f"/api/v1/{path}"]["get"]["parameters"]
    known = {one["name"] for one in parameters if one["in"] == "query"}
    assert known - {"limit", "cursor", "output", "data"} == model.model_fields.keys()
