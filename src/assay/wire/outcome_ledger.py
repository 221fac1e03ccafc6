"""Promised scores in numbers (`GET /api/v1/outcomes/summary`)."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from assay.wire.base import Message
from assay.wire.estimates import Estimate
from assay.wire.outcomes import State


class MaturityPoint(Message):
    """The share answered by an age, from Kaplan and Meier's curve.

    Attributes:
        age_s: since the promise, in seconds.
        ci: its 95 % interval; null where it can't be known.
        at_risk: promises that old or older that had no answer before.
    """

    age_s: float
    share: float
    ci: tuple[float, float] | None
    at_risk: int


class PromiseNumbers(Message):
    """Some promises, and what became of them.

    Attributes:
        answered: the share that is observed so far; what is pending may still come.
        overdue: those that wait for what should have come by now.
    """

    n: int
    states: dict[State, int] = Field(default_factory=dict)
    answered: Estimate
    overdue: int
    clustered_by: str | None


class ScorerPromises(PromiseNumbers):
    """The promises of a name by a scorer; those that ended in silence stay in the curve."""

    scorer: str
    name: str
    oldest_pending_at: datetime | None
    curve: list[MaturityPoint]


class AgePromises(PromiseNumbers):
    """Promises made so many seconds ago: from `min_s` on, under `max_s`."""

    min_s: float
    max_s: float | None


class OutcomeSummary(Message):
    """The promises of runs that were queued in a range of time.

    Attributes:
        sampled: how many of them, taken by chance, curves and intervals are made of; null where
            those are all.
    """

    queued_after: datetime
    queued_before: datetime
    n: int
    sampled: int | None
    by_scorer: list[ScorerPromises]
    by_age: list[AgePromises]
