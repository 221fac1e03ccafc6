"""What the API serves is what `wire` says: no field is missing on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_server import memo
from assay.wire.events import Event
from assay.wire.functions import Function
from assay.wire.outcomes import Outcome
from assay.wire.rollups import SessionScore
from assay.wire.runs import Attempt, EventDetail, Run, RunDetail, Step
from assay.wire.scores import Score
from assay.wire.sessions import SessionKey, SessionSummary
from assay.wire.spans import Span

if TYPE_CHECKING:
    from api_server import ApiServer
    from assay.wire.base import Message


def check(served: dict[str, Any], shape: type[Message]) -> None:
    """The names are those of the shape, and the values pass it."""
    assert set(shape.model_fields) == set(served)
    shape.model_validate(served)


def test_every_answer_has_the_fields_of_its_shape(api: ApiServer) -> None:
    """Runs, their parts, events, functions, sessions, scores and outcomes."""
    api.register("answer")
    run = api.start(sessions={"ticket": "1"})
    api.claim(run)
    api.insert("journal", memo(run, "generate", 1, output="1"))
    api.promise(run, "user-feedback")
    api.finish(run, "completed")
    api.post("scores", {"run_id": run, "name": "quality", "value": True})

    detail = api.get(f"runs/{run}")
    check(detail, RunDetail)
    check(detail["steps"][0], Step)
    check(detail["steps"][0]["attempts"][0], Attempt)
    check(detail["scores"][0], Score)
    check(detail["outcomes"][0], Outcome)
    check(detail["spans"][0], Span)
    check(api.pages("runs")[0], Run)
    event = api.pages("events")[0]
    check(event, Event)
    check(api.get(f"events/{event['id']}"), EventDetail)
    check(api.pages("functions")[0], Function)
    check(api.pages("sessions")[0], SessionKey)
    check(api.pages("sessions/ticket")[0], SessionSummary)
    check(api.pages("sessions/ticket/1/scores")[0], SessionScore)
