"""Messages over HTTP: what they take, refuse and keep."""

from __future__ import annotations

import json

import pydantic
import pytest

from assay.errors import AssayError
from assay.model.score_rules import check_score
from assay.wire.base import Page
from assay.wire.events import EcosystemRequest, EventIn, SendRequest
from assay.wire.problems import Problem
from assay.wire.runs import Run
from assay.wire.scores import Score, ScoreIn

ECOSYSTEM: pydantic.TypeAdapter[EcosystemRequest] = pydantic.TypeAdapter(EcosystemRequest)


def test_requests_refuse_what_they_do_not_know() -> None:
    """A field that is misspelt is not passed over."""
    with pytest.raises(pydantic.ValidationError):
        SendRequest.model_validate({"events": [{"name": "a", "dat": {}}]})


def test_answers_pass_over_what_is_newer() -> None:
    """An older client reads a newer API."""
    page = Page[int].model_validate({"data": [1], "next": None, "total": 1})
    assert (page.data, page.next) == ([1], None)


def test_data_is_kept_as_it_came() -> None:
    """Null characters, lone surrogates, numbers of their own type, order of keys."""
    data = {"z": "\0\ud800", "a": [1, 1.0, None, True]}
    kept = EventIn.model_validate({"name": "a", "data": data}).model_dump(mode="json")["data"]
    assert json.dumps(kept) == json.dumps(data)


@pytest.mark.parametrize("data", [None, [], "x"])
def test_data_is_an_object(data: object) -> None:
    """Nothing else."""
    with pytest.raises(pydantic.ValidationError):
        EventIn.model_validate({"name": "a", "data": data})


@pytest.mark.parametrize(
    ("meta", "drops", "layer"),
    [
        ({}, False, None),
        ({"sessions": None}, True, None),
        ({"sessions": {}}, False, {}),
        ({"sessions": {"a": 1, "b": None}}, False, {"a": 1, "b": None}),
    ],
)
def test_the_ecosystems_sessions_have_three_values(
    *, meta: object, drops: bool, layer: object
) -> None:
    """Absent keeps, null drops, an object sets and drops by key."""
    event = ECOSYSTEM.validate_python({"name": "a", "data": {}, "meta": meta, "new": 1})
    assert not isinstance(event, list)
    assert (event.meta.drops_sessions, event.meta.sessions) == (drops, layer)


def test_the_ecosystem_sends_one_or_many() -> None:
    """With milliseconds and an id of the author's."""
    events = ECOSYSTEM.validate_python([{"name": "a", "ts": 1, "id": "x", "v": "1", "user": {}}])
    assert isinstance(events, list)
    assert (events[0].ts, events[0].id, events[0].data) == (1, "x", {})


def test_the_rules_of_scores_speak_for_themselves() -> None:
    """The shape takes anything, so that their messages are the ones that are read."""
    for written, message in [
        ({}, "score name must be a non-empty string"),
        ({"name": "a", "value": "1"}, "score value must be a finite number or boolean"),
        ({"name": "a", "value": 1, "run_id": None}, "run_id must be a non-empty string"),
    ]:
        with pytest.raises(AssayError, match=message):
            check_score(ScoreIn.model_validate(written).options())
    whole = {"id": "01S", "name": "a", "value": True, "run_id": "r", "author": None}
    assert ScoreIn.model_validate(whole).options() == {"name": "a", "value": True, "run_id": "r"}


def test_a_score_keeps_the_type_of_its_value() -> None:
    """Booleans, whole numbers and others."""
    for value in (True, 1, 0.5):
        score = Score.model_validate(
            {
                "id": "01S",
                "name": "a",
                "value": value,
                "subject": "run",
                "run_id": "01R",
                "source": "api",
                "at": "2026-01-01T00:00:00Z",
                "recorded_at": "2026-01-01T00:00:00Z",
            }
        )
        assert json.loads(score.model_dump_json())["value"] is value or value == 0.5


def test_a_problem_and_its_error_are_the_same() -> None:
    """There and back."""
    error = AssayError("no", code="x_y", field="f", hint="h")
    back = Problem.of(error, status=404, title="Not Found").to_error()
    assert (back.code, back.message, back.field, back.hint) == ("x_y", "no", "f", "h")
    assert not back.is_retriable
    assert Problem.of(error, status=503, title="Busy").to_error().is_retriable


def test_a_run_has_the_fields_that_were_promised() -> None:
    """Of the API's description."""
    promised = {"id", "function_id", "app_id", "status", "sessions", "queued_at", "started_at"}
    promised |= {"ended_at", "output", "error", "trace_id"}
    assert promised <= Run.model_fields.keys()
    promised = {"id", "name", "value", "subject", "run_id", "step_id", "index", "attempt"}
    assert promised | {"source", "attributions", "at"} <= Score.model_fields.keys()
