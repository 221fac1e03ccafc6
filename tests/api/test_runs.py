"""Runs read over HTTP: lists with every filter, one with all that belongs to it."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
import pytest

from api_server import failure, memo, step
from assay.errors import AssayError
from assay.ids import parse, span_of, to_text
from assay.store.runs import RunFilter, longest
from assay.wire.runs import RunDetail

if TYPE_CHECKING:
    from api_server import ApiServer


def shown(api: ApiServer, **params: Any) -> list[str]:
    """Ids of the runs listed."""
    return [run["id"] for run in api.pages("runs", **params)]


def test_each_status_is_listed_and_filtered(api: ApiServer) -> None:
    """Live ones come from their turns, ended ones from their end."""
    api.register("answer")
    runs = {status: api.start() for status in ("queued", "running", "waiting")}
    api.claim(runs["running"])
    api.claim(runs["waiting"])
    api.park(runs["waiting"])
    for status in ("completed", "failed", "cancelled"):
        runs[status] = api.start()
        api.finish(runs[status], status)

    assert {run["id"]: run["status"] for run in api.pages("runs")} == {
        run: status for status, run in runs.items()
    }
    for status, run in runs.items():
        assert shown(api, status=status) == [run]
        assert api.get(f"runs/{run}")["status"] == status


def test_runs_are_filtered_by_function_app_session_and_time(api: ApiServer) -> None:
    """Filters are joined by and."""
    api.register("answer")
    api.register("triage", event="other")
    first = api.start(sessions={"ticket": "1"})
    api.clock.advance(timedelta(minutes=5))
    second = api.start(name="other", sessions={"ticket": "2"})
    middle = (api.clock.now() - timedelta(minutes=1)).isoformat()

    assert shown(api) == [second, first]
    assert shown(api, function_id="answer") == [first]
    assert shown(api, app_id="support") == [second, first]
    assert shown(api, app_id="else") == []
    assert shown(api, session_key="ticket") == [second, first]
    assert shown(api, session_key="ticket", session_id="1") == [first]
    assert shown(api, queued_after=middle) == [second]
    assert shown(api, queued_before=middle) == [first]
    assert shown(api, queued_before=middle, function_id="triage") == []


def test_runs_are_filtered_by_their_latest_score(api: ApiServer) -> None:
    """By its name, within bounds, or true and false."""
    api.register("answer")
    runs = [api.start() for _ in range(4)]
    for run, value in zip(runs, (0.2, 0.9, True, False), strict=True):
        api.post("scores", {"run_id": run, "name": "q", "value": value})
    api.clock.advance(timedelta(seconds=1))
    api.post("scores", {"run_id": runs[0], "name": "q", "value": 0.5})

    assert shown(api, score="q") == runs[::-1]
    assert shown(api, score="q", score_min=0.5, score_max=0.95) == [runs[1], runs[0]]
    assert shown(api, score="q", score_max=0.3) == [runs[3]]
    assert shown(api, score="q", score_is="true") == [runs[2]]
    assert shown(api, score="q", score_is="false") == [runs[3]]
    assert shown(api, score="other") == []


def test_runs_are_filtered_by_what_they_were_served(api: ApiServer) -> None:
    """By an experiment, a variant of it, and the unit that was assigned."""
    api.register("answer")
    first, second, _ = (api.start() for _ in range(3))
    served = {"experiment": "style", "idx": 0, "epoch": 1, "forced": False, "at": api.clock.now()}
    api.insert(
        "exposures",
        {**served, "run_id": parse(first), "variant": "concise", "unit": "acct_1"},
        {**served, "run_id": parse(second), "variant": "detailed", "unit": "acct_2"},
    )

    assert shown(api, experiment="style") == [second, first]
    assert shown(api, experiment="style", variant="concise") == [first]
    assert shown(api, experiment="style", unit="acct_2") == [second]
    assert shown(api, experiment="style", variant="concise", unit="acct_2") == []
    assert shown(api, experiment="else") == []
    assert api.refusal("GET", "runs?variant=concise")[1:] == ("bad_filter", "experiment")


def test_runs_are_listed_by_how_long_they_took(api: ApiServer) -> None:
    """Of some time, those that have ended; a cursor fits the order alone that gave it."""
    api.register("answer")
    api.start()
    since = (api.clock.now() - timedelta(hours=1)).isoformat()
    took = [3.0, 0.5, 3.0, 7.25, 0.0, 3.000001]
    runs = [api.start() for _ in took]
    for run in runs:
        api.finish(run)
    with psycopg.connect(api.url) as connection:
        for run, seconds in zip(runs, took, strict=True):
            connection.execute(
                "UPDATE assay.runs SET started_at = ended_at - make_interval(secs => %s)"
                " WHERE id = %s",
                (seconds, parse(run)),
            )
    asked = {"order": "longest", "queued_after": since}
    ordered = sorted(zip(took, runs, strict=True), reverse=True)
    assert shown(api, limit=2, **asked) == [run for _, run in ordered]
    assert shown(api, limit=2, order="newest", status="completed") == runs[::-1]
    api.clock.advance(timedelta(hours=2))
    assert shown(api, order="longest", queued_after=api.clock.now().isoformat()) == []

    by_time = api.get("runs", limit=1)["next"]
    by_length = api.get("runs", limit=1, **asked)["next"]
    for query in (f"cursor={by_length}", f"cursor={by_time}&{urlencode(asked)}"):
        assert api.refusal("GET", f"runs?{query}") == (400, "bad_cursor", "cursor")


def test_the_longest_runs_are_those_of_a_time(api: ApiServer) -> None:
    """Which must be told, and hold no more runs than can be put in order."""
    api.register("answer")
    for _ in range(3):
        api.finish(api.start())
    assert api.refusal("GET", "runs?order=longest") == (422, "bad_filter", "queued_after")
    assert api.refusal("GET", "runs?order=shortest") == (422, "invalid", "order")
    filter_ = RunFilter(queued_after=api.clock.now() - timedelta(hours=1))

    def found(most: int) -> int:
        read = partial(longest, project=1, filter_=filter_, limit=5, most=most)
        return len(api.run(api.app.state.services.read(1, read)).items)

    assert found(3) == 3
    with pytest.raises(AssayError) as refused:
        found(2)
    assert (refused.value.code, refused.value.field) == ("order_too_wide", "queued_after")


def test_pages_are_complete_and_without_repeats_while_runs_come(api: ApiServer) -> None:
    """A cursor says where to go on, whatever has come before it since."""
    api.register("answer")
    before = [api.start() for _ in range(7)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("runs", limit=2, **cursor)
        seen += [run["id"] for run in page["data"]]
        api.start()
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert seen == before[::-1]


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "bnVsbA", "WyIxIl0", "\0", "é", "WzFd", "W" * 10_000]
)
def test_a_cursor_that_is_none_is_a_problem(api: ApiServer, cursor: str) -> None:
    """On every list."""
    for path in ("runs", "events", "scores", "outcomes", "functions", "sessions/a"):
        told = api.refusal("GET", path, params={"cursor": cursor})
        assert told == (400, "bad_cursor", "cursor")


def test_a_cursor_of_another_list_is_a_problem(api: ApiServer) -> None:
    """It would begin at a place that means nothing there."""
    api.register("answer")
    for _ in range(2):
        api.start()
    told = api.refusal("GET", "events", params={"cursor": api.get("runs", limit=1)["next"]})
    assert told == (400, "bad_cursor", "cursor")


def test_a_parameter_that_is_given_twice_is_a_problem(api: ApiServer) -> None:
    """Else one of the two would be left out unseen."""
    told = api.refusal("GET", "runs?status=completed&status=failed")
    assert told == (422, "bad_filter", "status")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "done"}, "status"),
        ({"score": "q", "score_min": "nan"}, "score_min"),
        ({"score": "q", "score_max": "1e999"}, "score_max"),
        ({"score_min": 1}, "score"),
        ({"session_id": "1"}, "session_key"),
        ({"functon_id": "answer"}, "functon_id"),
        ({"queued_after": "2026-01-01T00:00:00"}, "queued_after"),
        ({"queued_after": "0001-01-01T00:00:00Z"}, "queued_after"),
        ({"queued_before": "9999-12-31T23:59:59Z"}, "queued_before"),
    ],
    ids=str,
)
def test_a_filter_that_is_none_is_a_problem(
    api: ApiServer, params: dict[str, object], field: str
) -> None:
    """It names the parameter."""
    status, _, told = api.refusal("GET", "runs", params=params)
    assert (status, told) == (422, field)


def test_hostile_text_in_a_filter_finds_nothing(api: ApiServer) -> None:
    """It is only ever a value."""
    for text in ("' OR 1=1 --", "%", "\\", "\U0001f4a9" * 100, "\ud800".encode("utf-8", "replace")):
        assert shown(api, function_id=text, session_key=text, session_id=text, score=text) == []
    assert api.refusal("GET", "runs?function_id=%00")[:2] == (422, "not_storable")
    assert api.get("runs?function_id=%ff%fe")["data"] == []


@pytest.mark.parametrize("path", ["runs/{}", "runs/{}/trace", "runs/{}/scores", "events/{}"])
def test_what_is_not_there_is_404_and_what_is_no_id_is_400(api: ApiServer, path: str) -> None:
    """Nothing else tells the two apart."""
    unknown = to_text(api.ulid())
    assert api.refusal("GET", path.format(unknown))[0] == 404
    for text in ("x", "%00", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "%F0%9F%92%A9", "1" * 5000):
        assert api.refusal("GET", path.format(text))[:2] == (400, "bad_id")


def test_unknown_routes_and_methods_are_problems(api: ApiServer) -> None:
    """As everything that is refused."""
    assert api.refusal("GET", "nothing")[:2] == (404, "no_route")
    assert api.refusal("GET", "/")[:2] == (404, "no_route")
    assert api.refusal("DELETE", "runs")[:2] == (405, "wrong_method")
    assert api.refusal("GET", f"runs/{to_text(api.ulid())}", params={"include": "x"})[1] == (
        "bad_include"
    )


def test_an_output_comes_back_as_the_text_that_was_stored(api: ApiServer) -> None:
    """Lone surrogates, null characters, key order and long numbers included."""
    api.register("answer")
    run = api.start()
    output = r'{"b": "\ud800\u0000", "a": 1.10, "n": 123456789012345678901234567890}'
    api.finish(run, output=output)

    assert output in api.ask("GET", f"runs/{run}").text
    assert output in api.ask("GET", "runs").text
    assert json.loads(output) == api.get(f"runs/{run}")["output"]


def test_a_run_comes_with_its_steps_attempts_scores_and_trace(api: ApiServer) -> None:
    """In the shape that the client knows."""
    api.register("answer")
    run = api.start(sessions={"ticket": "1"})
    api.claim(run)
    now = api.clock.now()
    api.insert(
        "journal",
        memo(run, "model", 1, attempts=2, output='"hi"', input="[1]"),
        memo(run, "check", 2, error=failure(data='{"a": 1}')),
    )
    tried = {"attempt": 1, "worker_id": api.worker, "started_at": now - timedelta(seconds=5)}
    api.insert(
        "attempts",
        step(run, "model", span=1001, error=failure(), ended_at=now, **tried),
        step(run, "open", span=1009, **tried),
    )
    waiting = {"kind": "wait", "event_name": "voted", "since": now, "registered_at": now}
    api.insert("waits", step(run, "feedback", span=77, **waiting))
    api.post("scores", {"run_id": run, "step_id": "model", "name": "q", "value": True})

    shown = api.get(f"runs/{run}")

    RunDetail.model_validate(shown)
    assert [(s["id"], s["kind"], s["status"]) for s in shown["steps"]] == [
        ("model", "step", "completed"),
        ("check", "step", "failed"),
        ("feedback", "wait", "waiting"),
        ("open", "step", "running"),
    ]
    model = shown["steps"][0]
    assert (model["input"], model["output"]) == ([1], "hi")
    assert [(a["attempt"], a["status"]) for a in model["attempts"]] == [
        (1, "failed"),
        (2, "completed"),
    ]
    assert model["attempts"][1]["span_id"] == f"{span_of(1001, 2):016x}"
    assert shown["steps"][1]["error"]["data"] == {"a": 1}
    assert [score["value"] for score in shown["scores"]] == [True]
    assert shown["sessions"] == [{"key": "ticket", "id": "1"}]
    assert len(shown["spans"]) == 9


def test_include_leaves_out_what_is_not_asked_for(api: ApiServer) -> None:
    """Nothing but the run where it is empty."""
    api.register("answer")
    run = api.start()
    assert "steps" not in api.get(f"runs/{run}", include="")
    parts = api.get(f"runs/{run}", include="scores,outcomes").keys()
    assert parts & {"steps", "scores", "outcomes", "spans"} == {"scores", "outcomes"}


def test_waiting_for_a_run_answers_as_soon_as_it_has_ended(api: ApiServer) -> None:
    """And no later than asked where it does not end."""
    api.register("answer")
    run, other = api.start(), api.start()

    async def end(_: object) -> None:
        await api.end(run)

    answer, _ = api.ask_all(lambda client: client.get(f"/api/v1/runs/{run}?wait_s=20"), end)

    assert answer.json()["status"] == "completed"
    assert api.get(f"runs/{other}", wait_s=0.02)["status"] == "queued"
    assert api.refusal("GET", f"runs/{run}", params={"wait_s": 61})[2] == "wait_s"


def test_a_run_is_cancelled(api: ApiServer) -> None:
    """At once where it waits, by its worker where it is live; one that is over stays as it was."""
    api.register("answer")
    queued, live, over = api.start(), api.start(), api.start()
    api.claim(live)
    api.finish(over)

    told = {run: api.post(f"runs/{run}/cancel", None)["status"] for run in (queued, live, over)}

    assert told == {queued: "cancelled", live: "running", over: "completed"}
    assert api.refusal("POST", f"runs/{to_text(api.ulid())}/cancel")[:2] == (404, "run_not_found")


def test_functions_are_listed(api: ApiServer) -> None:
    """By app and id, in pages."""
    api.register("b", "a", "c")
    assert [one["id"] for one in api.pages("functions", limit=1)] == ["a", "b", "c"]
    (first, *_) = api.get("functions")["data"]
    assert (first["triggers"], first["retries"]) == ([{"event": "ticket", "condition": None}], 4)
