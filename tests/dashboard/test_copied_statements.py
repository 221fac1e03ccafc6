"""What a page offers as SQL gives the rows that it shows, whatever they are called."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from copied_statements import offered, results, rows
from dashboard_server import DashboardServer
from project_story import tell
from project_words import Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.testing import Databases
    from project_story import Story

Told = tuple[DashboardServer, "Story"]


@pytest.fixture(scope="module", params=[Words(), hostile()], ids=["usual", "hostile"])
def told(request: pytest.FixtureRequest, assay_databases: Databases) -> Iterator[Told]:
    """A project in usual words, and the same in the worst."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        yield server, tell(server, request.param)


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
        {"queued_after": then.isoformat()},
        {"queued_before": then.isoformat()},
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
