"""Outcomes: what became of promised scores."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from assay.wire.base import Message

State: TypeAlias = Literal["pending", "observed", "timed_out", "skipped", "failed", "cancelled"]


class OutcomeChange(Message):
    """One change of an outcome's state."""

    state: State
    at: datetime
    reason: str | None = None


class Outcome(Message):
    """A promised score, from the moment of the promise.

    Attributes:
        run_id: the run that promised it.
        defer_id: the id of the promise in that run.
        scorer_run_id: the run of the scorer, once it has started.
        due_at: when it will be known at the latest, where that is known.
        score_id: the score that was observed.
        reason: why it failed.
    """

    run_id: str
    defer_id: str
    name: str
    scorer: str
    state: State
    scorer_run_id: str | None = None
    due_at: datetime | None = None
    score_id: str | None = None
    reason: str | None = None
    promised_at: datetime
    changes: list[OutcomeChange] = Field(default_factory=list)
