"""Runs with their steps and attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from assay.wire.base import Message
from assay.wire.events import Event
from assay.wire.outcomes import Outcome
from assay.wire.scores import Score
from assay.wire.sessions import Session
from assay.wire.spans import Span

Status: TypeAlias = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]
ENDED: frozenset[str] = frozenset({"completed", "failed", "cancelled"})


class RunError(Message):
    """Why a run, step or attempt failed.

    Attributes:
        type: name of the error's class; bases: names of what it was, most derived first.
        code: of one of Assay's own errors.
        data: what the error carried as `data`, if JSON could hold it.
        traceback: text, for people.
        retriable: whether another attempt could have helped.
    """

    type: str
    message: str
    code: str | None = None
    bases: list[str] = Field(default_factory=list)
    data: object = None
    traceback: str | None = None
    retriable: bool | None = None


class Run(Message):
    """One execution of a function.

    Attributes:
        sessions: the pairs that label it.
        event_ids: of the events that started it.
        parent_run_id: the run that invoked it, sent its event, or promised it.
        output: what it returned, null until it has completed.
        trace_id: 32 hexadecimal digits, shared with its parent, children and scorers.
        warnings: what a person should know: orphan scores, recorded entries never asked for.
    """

    id: str
    app_id: str
    function_id: str
    kind: Literal["function", "scorer"] = "function"
    status: Status
    sessions: list[Session]
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    output: object = None
    error: RunError | None = None
    trace_id: str
    event_ids: list[str] = Field(default_factory=list)
    parent_run_id: str | None = None
    warnings: list[str] = Field(default_factory=list)


class Attempt(Message):
    """One try of a step or of the body, from 1.

    Attributes:
        status: `cancelled` where it was in flight when the run ended.
        retry_at: when the next one may start, after one that failed.
    """

    attempt: int
    status: Literal["running", "completed", "failed", "cancelled"]
    started_at: datetime
    ended_at: datetime | None = None
    error: RunError | None = None
    span_id: str | None = None
    retry_at: datetime | None = None


class Step(Message):
    """A memoised unit of a run.

    Attributes:
        id: as the author wrote it.
        index: which use of it, from 0.
        status: `cancelled` where it had not ended when the run did.
        seq: its place in the journal, once it has been recorded.
        input: the arguments, if JSON could hold them.
        event_id: the event that a wait took.
        child_run_id: the run that was invoked.
    """

    id: str
    index: int
    kind: Literal["step", "sleep", "wait", "send", "invoke", "score", "experiment"]
    status: Literal["running", "waiting", "completed", "failed", "cancelled"]
    seq: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    input: object = None
    output: object = None
    error: RunError | None = None
    span_id: str | None = None
    event_id: str | None = None
    child_run_id: str | None = None
    attempts: list[Attempt] = Field(default_factory=list)


class RunDetail(Run):
    """A run with all that belongs to it; parts that `include` doesn't name are left out."""

    steps: list[Step] = Field(default_factory=list)
    scores: list[Score] = Field(default_factory=list)
    outcomes: list[Outcome] = Field(default_factory=list)
    spans: list[Span] = Field(default_factory=list)


class EventDetail(Event):
    """An event with the runs that it started, and those whose waits took it."""

    started_runs: list[Run]
    woken_runs: list[Run]


class CancelResponse(Message):
    """The answer of `POST /api/v1/runs/{id}/cancel`.

    Attributes:
        status: of the run by now; one that had ended stays as it was.
    """

    id: str
    status: Status
