"""Traces as they are drawn: a skeleton in columns, and each span when it is asked for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api_server import APP, failure, memo, step
from assay.ids import parse, span_of, step_key, to_text
from assay.store import user_spans
from assay.wire.span_details import SpanDetail
from assay.wire.spans import Skeleton

if TYPE_CHECKING:
    from api_server import ApiServer

COLUMNS = ("id", "parent", "name", "kind", "status", "run", "start", "duration")


def rows(api: ApiServer, run: str) -> list[dict[str, Any]]:
    """The spans of a skeleton, with words in place of places."""
    found = api.get(f"runs/{run}/trace/skeleton")
    Skeleton.model_validate(found)
    spans = [
        dict(zip(COLUMNS, row, strict=True))
        for row in zip(*(found["spans"][column] for column in COLUMNS), strict=True)
    ]
    for span in spans:
        span["name"] = found["names"][span["name"]]
        span["kind"] = found["kinds"][span["kind"]]
        span["status"] = found["statuses"][span["status"]]
        span["run"] = found["runs"][span["run"]]["id"]
    return spans


def tree(spans: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Depths and names."""
    depths: list[int] = []
    for span in spans:
        depths.append(0 if span["parent"] < 0 else depths[span["parent"]] + 1)
    return [(depth, span["name"]) for depth, span in zip(depths, spans, strict=True)]


def spans_of(api: ApiServer, run: str, *spans: dict[str, Any]) -> None:
    """Store spans of user code, a millisecond each, one after another."""
    start = api.clock.time()
    usual = {"trace": parse(run), "run": parse(run), "day": api.clock.now().date(), "step": None}
    usual |= {"attempt": None, "kind": "internal", "status": "unset", "message": None}
    usual |= {"attributes": "{}", "events": "[]", "parent": None}
    given = [
        usual | {"started": start + at / 1e3, "ended": start + (at + 1) / 1e3} | span
        for at, span in enumerate(spans)
    ]
    api.run(user_spans.add(api.connection, given, project=1))


def busy(api: ApiServer) -> str:
    """A run with tried and open steps, a wait, a child and spans of user code."""
    api.register("answer")
    run = api.start()
    now = api.clock.now()
    api.claim(run)
    begun = now - timedelta(seconds=9)
    tried = {"worker_id": api.worker, "error": failure(), "started_at": begun, "ended_at": now}
    api.insert("journal", memo(run, "plan", 1), memo(run, "model", 2, attempts=2))
    api.insert("journal", memo(run, "ask", 3, kind="invoke"))
    api.insert("attempts", step(run, "model", span=1002, attempt=1, **tried))
    api.insert("attempts", step(run, "broken", span=5, attempt=1, **tried))
    api.insert("attempts", {**step(run, "", span=6, attempt=1, **tried), "step": step_key("", 0)})
    waiting = {"kind": "wait", "event_name": "voted", "since": now, "registered_at": now}
    api.insert("waits", step(run, "feedback", span=77, **waiting))
    child = {"id": api.ulid(), "app": APP, "fn": "lookup", "kind": "function", "version": "v1"}
    child |= {"event_id": api.ulid(), "parent_run": parse(run), "trace": parse(run)}
    api.insert("runs", {**child, "queued_at": now, "parent_span": 1003})
    spans_of(
        api,
        run,
        {"span": 20, "parent": span_of(1001, 1), "name": "chat gpt", "status": "error"},
        {"span": 21, "parent": span_of(1002, 2), "name": "execute_tool search"},
        {"span": 22, "parent": 21, "name": "query"},
        {"span": 23, "parent": 999, "name": "of a lost parent"},
    )
    return run


def test_a_skeleton_is_the_trace_as_a_tree_is_read(api: ApiServer) -> None:
    """Behind their parents by start; the only attempt of a step is left out."""
    run = busy(api)
    spans = rows(api, run)
    assert sorted(tree(spans)) == sorted(
        [
            (0, "answer"),
            (1, "plan"),
            (2, "chat gpt"),
            (1, "model"),
            (2, "attempt 1"),
            (2, "attempt 2"),
            (3, "execute_tool search"),
            (4, "query"),
            (1, "ask"),
            (2, "lookup"),
            (1, "broken"),
            (2, "attempt 1"),
            (1, "body attempt 1"),
            (1, "feedback"),
            (1, "of a lost parent"),
        ]
    )
    for at, span in enumerate(spans):
        assert span["parent"] < at
        older = [one for one in spans[:at] if one["parent"] == span["parent"]]
        assert all(one["start"] <= span["start"] for one in older)


def test_a_skeleton_says_of_each_span_what_the_trace_says(api: ApiServer) -> None:
    """Its id, name, status, run, start and duration."""
    run = busy(api)
    skeleton = api.get(f"runs/{run}/trace/skeleton")
    told = {span["span_id"]: span for span in api.get(f"runs/{run}/trace")["spans"]}
    shown = {span["id"]: span for span in rows(api, run)}
    only = [span for span in told.values() if span["name"] == "attempt 1"]
    assert told.keys() - shown.keys() == {
        span["span_id"] for span in only if span["step_id"] == "plan"
    }
    assert shown.keys() <= told.keys()
    origin = min(span["started_at"] for span in told.values())
    assert skeleton["origin"][:26] == origin[:26]
    for id_, span in shown.items():
        other = told[id_]
        for field, theirs in (("name", "name"), ("status", "status"), ("run", "run_id")):
            assert span[field] == other[theirs], id_
        assert (span["duration"] is None) == (other["ended_at"] is None)


def test_kinds_are_those_of_the_engine_or_named_by_opentelemetry(api: ApiServer) -> None:
    """A model's call and a tool's stand out from other spans of user code."""
    kinds = {span["name"]: span["kind"] for span in rows(api, busy(api))}
    expected = {"answer": "run", "plan": "step", "ask": "invoke", "feedback": "wait"}
    expected |= {"attempt 2": "attempt", "chat gpt": "model", "execute_tool search": "tool"}
    assert kinds | expected | {"query": "span"} == kinds


def test_a_skeleton_holds_the_latest_scores_in_their_places(api: ApiServer) -> None:
    """Of the run and of its steps, booleans as booleans."""
    run = busy(api)
    for value in (False, True):
        api.post("scores", {"run_id": run, "name": "ok", "value": value})
        api.clock.advance(timedelta(seconds=1))
    api.post("scores", {"run_id": run, "step_id": "model", "name": "length", "value": 7})
    found = api.get(f"runs/{run}/trace/skeleton")
    names = [found["names"][name] for name in found["spans"]["name"]]
    scores = found["scores"]
    marks = zip(scores["span"], scores["name"], scores["value"], strict=True)
    assert sorted((names[span], name, value) for span, name, value in marks) == [
        ("answer", "ok", True),
        ("model", "length", 7),
    ]


def test_spans_that_are_each_others_parents_are_shown_once(api: ApiServer) -> None:
    """Whatever a library wrote, the trace can be read."""
    api.register("answer")
    run = api.start()
    spans_of(
        api,
        run,
        {"span": 20, "parent": 21, "name": "a"},
        {"span": 21, "parent": 20, "name": "b"},
        {"span": 22, "parent": 22, "name": "c"},
    )
    assert tree(rows(api, run)) == [(0, "answer"), (0, "a"), (1, "b"), (0, "c")]


def test_a_skeleton_is_packed_for_those_who_can_unpack_it(api: ApiServer) -> None:
    """And plain for others."""
    api.register("answer")
    run = api.start()
    spans_of(api, run, *({"span": at, "name": f"query {at}"} for at in range(100)))
    path = f"/api/v1/runs/{run}/trace/skeleton"
    with_gzip = api.ask("GET", path, headers={"accept-encoding": "gzip"})
    plain = api.ask("GET", path, headers={"accept-encoding": "identity"})
    assert with_gzip.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert with_gzip.json() == plain.json()
    assert int(with_gzip.headers["content-length"]) < len(plain.content) / 2


def test_each_span_of_a_trace_can_be_asked_for(api: ApiServer) -> None:
    """By its run and id; it says what the trace says of it."""
    run = busy(api)
    for span in api.get(f"runs/{run}/trace")["spans"]:
        detail = api.get(f"runs/{span['run_id']}/spans/{span['span_id']}")
        SpanDetail.model_validate(detail)
        assert {**detail, **span} == detail


def test_a_span_of_a_step_has_its_values_attempts_and_scores(api: ApiServer) -> None:
    """An attempt has its own error, and the output only where it gave it."""
    api.register("answer")
    run = api.start()
    taken = {"args": [{"messages": [{"role": "user", "content": "hi"}]}], "kwargs": {}}
    api.insert(
        "journal", memo(run, "model", 1, attempts=2, input=json.dumps(taken), output='"yes"')
    )
    now = api.clock.now()
    tried = {"worker_id": api.worker, "error": failure("TimeoutError", "slow"), "started_at": now}
    api.insert("attempts", step(run, "model", span=1001, attempt=1, ended_at=now, **tried))
    api.post("scores", {"run_id": run, "step_id": "model", "name": "ok", "value": True})

    detail = api.get(f"runs/{run}/spans/{1001:016x}")
    first = api.get(f"runs/{run}/spans/{span_of(1001, 1):016x}")
    last = api.get(f"runs/{run}/spans/{span_of(1001, 2):016x}")

    assert (detail["input"], detail["output"], detail["error"]) == (taken, "yes", None)
    assert [one["attempt"] for one in detail["attempts"]] == [1, 2]
    assert [one["name"] for one in detail["scores"]] == ["ok"]
    assert detail["messages"][0]["role"] == "user"
    assert (first["output"], first["error"]["type"]) == (None, "TimeoutError")
    assert (last["output"], last["error"]) == ("yes", None)


def test_a_span_of_a_run_has_its_event_and_output(api: ApiServer) -> None:
    """And its error."""
    api.register("answer")
    run = api.start(data={"ticket": "é"})
    api.finish(run, "failed", error=failure("KeyError", "'a'"))
    detail = api.get(f"runs/{run}/spans/{span_of('run', parse(run)):016x}")
    assert (detail["input"], detail["output"]) == ({"ticket": "é"}, None)
    assert detail["error"]["type"] == "KeyError"


def test_a_span_of_user_code_has_its_messages_or_values(api: ApiServer) -> None:
    """A model's call the one, a tool's the other."""
    api.register("answer")
    run = api.start()
    said = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    model = {"gen_ai.input.messages": json.dumps(said)}
    tool = {"gen_ai.tool.call.arguments": '{"q": 1}', "gen_ai.tool.call.result": "plain text"}
    spans_of(
        api,
        run,
        {"span": 20, "name": "chat", "attributes": json.dumps(model)},
        {"span": 21, "name": "execute_tool", "attributes": json.dumps(tool)},
    )
    assert api.get(f"runs/{run}/spans/{20:016x}")["messages"][0]["parts"][0]["text"] == "hi"
    detail = api.get(f"runs/{run}/spans/{21:016x}")
    assert (detail["input"], detail["output"]) == ({"q": 1}, "plain text")


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("0" * 15, (400, "bad_id", "span_id")),
        ("z" * 16, (400, "bad_id", "span_id")),
        ("0" * 16, (404, "span_not_found", "span_id")),
    ],
)
def test_spans_that_are_not_there_are_refused(
    api: ApiServer, span: str, expected: tuple[int, str, str]
) -> None:
    """With what is wrong with them."""
    api.register("answer")
    assert api.refusal("GET", f"runs/{api.start()}/spans/{span}") == expected


def test_traces_of_runs_that_are_not_there_are_refused(api: ApiServer) -> None:
    """Both routes."""
    run = to_text(api.ulid())
    for path in (f"runs/{run}/trace/skeleton", f"runs/{run}/spans/{1:016x}"):
        assert api.refusal("GET", path)[0] == 404
