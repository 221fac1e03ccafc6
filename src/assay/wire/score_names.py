"""What is scored, by name: `GET /api/v1/scores/names` and `/api/v1/scores/names/{name}`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from assay.wire.base import Message
from assay.wire.estimates import Estimate
from assay.wire.outcomes import State


class ScoreStretch(Message):
    """The runs that were queued in a stretch of time, and have the score."""

    start: datetime
    end: datetime
    n: int
    estimate: Estimate


class ScoreName(Message):
    """A name in the runs that were queued in a range of time.

    A run counts once, with the mean of its latest scores of this name; booleans are 1 and 0.

    Attributes:
        queued_after, queued_before: the range that was looked at.
        type: null where no run has it.
        n: runs that count, all that have it.
        sampled: how many of them, spread over the range, intervals, distribution and variants are
            made of; null where those are all.
        clustered_by: the session key whose sessions vary on their own in the intervals.
        outcomes: promises of this score by state; what is pending or had no answer is no 0.
        over_time: stretches with runs in them; there are none for others.
    """

    name: str
    queued_after: datetime
    queued_before: datetime
    type: Literal["boolean", "number", "mixed"] | None
    n: int
    sampled: int | None
    clustered_by: str | None
    estimate: Estimate
    min: float | None
    max: float | None
    last_at: datetime | None
    outcomes: dict[State, int] = Field(default_factory=dict)
    over_time: list[ScoreStretch]


class FunctionScore(Message):
    """The score in the runs of a function."""

    app_id: str
    function_id: str
    n: int
    estimate: Estimate
    outcomes: dict[State, int] = Field(default_factory=dict)


class VariantScore(Message):
    """The score in the runs that were served a variant; no comparison: the experiment has one."""

    experiment: str
    variant: str
    n: int
    estimate: Estimate


class SharePoint(Message):
    """The share of runs whose value is at most `value`."""

    value: float
    share: Estimate


class ScoredRun(Message):
    """A run with its value."""

    run_id: str
    app_id: str
    function_id: str
    value: float
    at: datetime


class ScoreNameDetail(ScoreName):
    """A name at length.

    Attributes:
        lowest, highest: ten runs by their value, among equals the newest first.
    """

    by_function: list[FunctionScore]
    by_variant: list[VariantScore]
    distribution: list[SharePoint]
    lowest: list[ScoredRun]
    highest: list[ScoredRun]
