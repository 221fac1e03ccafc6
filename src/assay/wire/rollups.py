"""Scores rolled up over a session (`GET /api/v1/sessions/{key}/{id}/scores`)."""

from __future__ import annotations

from pydantic import Field

from assay.wire.base import Message
from assay.wire.outcomes import State


class SessionScore(Message):
    """A score over the runs of a session: each run counts once, with its mean.

    Attributes:
        n: runs that have the score.
        mean, min, max: of their numbers, booleans as 1 and 0; null where no run has it.
        true_share: the share of true among the `n_bool` runs where it is a boolean throughout.
        reason: why a number is null.
        outcomes: promises of this score by state, those without an answer too.
    """

    name: str
    n: int
    mean: float | None
    min: float | None
    max: float | None
    n_bool: int
    true_share: float | None
    reason: str | None = None
    outcomes: dict[State, int] = Field(default_factory=dict)
