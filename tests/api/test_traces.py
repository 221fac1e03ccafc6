"""Traces over HTTP: the engine's rows and users' spans in the shape of OpenTelemetry."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api_server import APP, failure, memo, step
from assay.ids import parse, span_of, step_key, to_text
from assay.wire.spans import Trace

if TYPE_CHECKING:
    from api_server import ApiServer


def spans(api: ApiServer, run: str) -> dict[str, dict[str, Any]]:
    """The spans of a trace by name, of which each may stand once."""
    trace = api.get(f"runs/{run}/trace")
    Trace.model_validate(trace)
    by_name = {span["name"]: span for span in trace["spans"]}
    assert len(by_name) == len(trace["spans"])
    assert {span["trace_id"] for span in trace["spans"]} == {trace["trace_id"]}
    return by_name


def child(api: ApiServer, run: str, fn: str, **columns: Any) -> dict[str, Any]:
    """A run that another starts."""
    return {
        "id": api.ulid(),
        "app": APP,
        "fn": fn,
        "kind": "function",
        "version": "v1",
        "event_id": api.ulid(),
        "parent_run": parse(run),
        "trace": parse(run),
        "queued_at": api.clock.now(),
        **columns,
    }


def test_a_trace_joins_a_run_its_children_and_its_scorers(api: ApiServer) -> None:
    """Whichever of them is asked for."""
    api.register("answer")
    run = api.start()
    root_span = span_of("run", parse(run))
    scorer = child(api, run, "judge", kind="scorer", parent_defer="d", parent_span=root_span)
    invoked = child(api, run, "lookup", parent_step=step_key("ask", 0), parent_span=1001)
    sent = child(api, run, "react")
    api.insert("runs", scorer, invoked, sent)
    api.insert("journal", memo(run, "ask", 1, kind="invoke", output="1"))

    found = spans(api, run)

    root = found["answer"]
    assert root["parent_span_id"] is None
    assert root["trace_id"] == parse(run).hex
    assert found["ask"]["parent_span_id"] == root["span_id"]
    assert found["lookup"]["parent_span_id"] == found["ask"]["span_id"] == f"{1001:016x}"
    assert found["judge"]["parent_span_id"] == root["span_id"]
    assert found["react"]["parent_span_id"] == root["span_id"]
    assert found["judge"]["attributes"]["assay.kind"] == "scorer"
    for other in (scorer, invoked, sent):
        assert spans(api, to_text(other["id"])) == found


def test_a_run_tells_what_it_is_in_attributes(api: ApiServer) -> None:
    """Times have nanoseconds, the time in the queue is told."""
    api.register("answer")
    run = api.start(sessions={"ticket": "1"})
    queued = api.get(f"runs/{run}")["queued_at"]
    assert spans(api, run)["answer"]["ended_at"] is None

    api.finish(run, "failed", error=failure("KeyError", "'a'", traceback="..."))

    root = spans(api, run)["answer"]
    attributes = root["attributes"]
    assert (root["status"], root["status_message"]) == ("error", "KeyError: 'a'")
    assert (attributes["assay.run.id"], attributes["assay.function.id"]) == (run, "answer")
    assert attributes["assay.event.name"] == "ticket"
    assert attributes["assay.session.ticket"] == "1"
    assert attributes["assay.queued_ms"] >= 0
    assert root["started_at"] >= queued[:19]
    assert len(root["started_at"]) == len("2026-01-01T00:00:00.000000000Z")
    (event,) = root["events"]
    assert event["name"] == "exception"
    assert event["attributes"]["exception.stacktrace"] == "..."


def test_attempts_stand_below_their_step_and_user_spans_below_their_attempt(
    api: ApiServer,
) -> None:
    """Failed ones and the last, each with its scores."""
    api.register("answer")
    run = api.start()
    now = api.clock.now()
    tried = {"attempt": 1, "worker_id": api.worker, "error": failure("TimeoutError", "slow")}
    tried |= {"started_at": now - timedelta(seconds=5), "ended_at": now, "retry_at": now}
    api.insert("journal", memo(run, "model", 1, attempts=2, output="1"))
    api.insert("attempts", step(run, "model", span=1001, **tried))
    score = {"id": api.ulid(), "subject": "step", "run_id": parse(run), "step": "model", "idx": 0}
    score |= {"attempt": 1, "name": "ok", "value": 0, "is_bool": True, "source": "step"}
    api.insert("scores", score | {"at": now, "recorded_at": now})
    key = step_key("model", 0)
    api.user_span(run, "chat gpt", parent=span_of(1001, 2), step=key, attempt=2)

    found = spans(api, run)

    model = found["model"]
    assert model["started_at"] == found["attempt 1"]["started_at"]
    assert (model["status"], model["attributes"]["assay.attempts"]) == ("ok", 2)
    assert found["attempt 1"]["parent_span_id"] == model["span_id"]
    assert found["attempt 1"]["status"] == "error"
    assert found["attempt 2"]["parent_span_id"] == model["span_id"]
    assert [event["name"] for event in found["attempt 1"]["events"]] == [
        "exception",
        "gen_ai.evaluation.result",
    ]
    chat = found["chat gpt"]
    assert chat["parent_span_id"] == found["attempt 2"]["span_id"]
    assert chat["attributes"]["gen_ai.usage.input_tokens"] == 7
    assert chat["attributes"]["odd"] == "NaN"
    assert (chat["kind"], [event["name"] for event in chat["events"]]) == ("client", ["token"])
    assert (chat["step_id"], chat["index"], chat["attempt"]) == ("model", 0, 2)


def test_what_is_open_is_a_span_without_an_end(api: ApiServer) -> None:
    """A wait, and a step between its attempts."""
    api.register("answer")
    run = api.start()
    now = api.clock.now()
    waiting = {"kind": "wait", "event_name": "voted", "since": now, "registered_at": now}
    api.insert("waits", step(run, "feedback", span=77, **waiting))
    tried = {"attempt": 1, "worker_id": api.worker, "error": failure(), "started_at": now}
    api.insert("attempts", step(run, "model", span=5, ended_at=now, **tried))

    found = spans(api, run)

    assert (found["feedback"]["ended_at"], found["feedback"]["status"]) == (None, "unset")
    assert found["feedback"]["attributes"]["assay.event.name"] == "voted"
    assert found["model"]["ended_at"] is None
    assert found["attempt 1"]["status"] == "error"


def test_scores_are_events_of_the_span_that_they_are_about(api: ApiServer) -> None:
    """Under OpenTelemetry's name for them."""
    api.register("answer")
    run = api.start()
    api.insert("journal", memo(run, "model", 1))
    for target in ({}, {"step_id": "model"}):
        score = {"run_id": run, "name": "ok", "value": True, "rationale": "fine", **target}
        api.post("scores", score)

    found = spans(api, run)

    for name in ("answer", "model"):
        (event,) = found[name]["events"]
        assert event["name"] == "gen_ai.evaluation.result"
        assert event["attributes"]["gen_ai.evaluation.score.label"] == "pass"
        assert event["attributes"]["gen_ai.evaluation.explanation"] == "fine"


def test_hostile_text_in_a_trace_is_no_error(api: ApiServer) -> None:
    """Lone surrogates and null characters that a model emitted come through."""
    api.register("answer")
    run = api.start()
    api.finish(run, "failed", error=json.dumps({"type": "E", "message": "\ud800\0"}))
    assert spans(api, run)["answer"]["status_message"] == "E: \ud800\0"
