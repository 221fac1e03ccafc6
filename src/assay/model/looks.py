"""Looks at an experiment: what was seen of a variant at a cutoff, and what that says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Word(StrEnum):
    """What is said of a variant beside the control."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    KEEP_COLLECTING = "keep collecting"
    NOT_SHOWN = "not shown"
    INVALID = "invalid"


class GuardrailWord(StrEnum):
    """What is said of a metric that must not get worse by more than a margin.

    `held`: the bad end of its interval is within the margin. `broken`: its good end is beyond.
    `open`: the margin lies in the interval, so that nothing is shown of it yet.
    """

    HELD = "held"
    OPEN = "open"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailLook:
    """Whether a metric that must not get worse has kept within its margin.

    Attributes:
        margin: by how much it may fall, or, where it is negative, rise.
        bound: the end of its one-sided interval on the bad side.
        word: None where there is no interval.
    """

    metric: str
    margin: float
    estimate: float | None = None
    se: float | None = None
    information: float | None = None
    bound: float | None = None
    word: GuardrailWord | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look as it is stored.

    Attributes:
        tested: whether it could end the experiment; if not, `reason` says why.
        alpha: of this variant's comparison at this look, where it was tested.
        information: 1 / variance of a tested look.
        time: the spending time of a planned one.
        deviate: the estimate in standard errors, as a normal deviate of the same tail.
        boundary: the deviate that ends the experiment, in the planned mode.
        spent: of alpha so far, in the planned mode.
        log_e: the log of the evidence, in the anytime mode.
        g: the tuning of intervals that hold at any time, which this variant's first look chose.
        ci: the interval that keeps its promise over all looks.
        log_e_balance: the log of the evidence that units did not come as the weights say.
    """

    cutoff: datetime
    tested: bool
    reason: str | None = None
    alpha: float | None = None
    n_units: int = 0
    estimate: float | None = None
    se: float | None = None
    df: float | None = None
    information: float | None = None
    time: float | None = None
    deviate: float | None = None
    boundary: float | None = None
    spent: float | None = None
    log_e: float | None = None
    g: float | None = None
    ci: tuple[float, float] | None = None
    word: Word | None = None
    log_e_balance: float | None = None
    guardrails: tuple[GuardrailLook, ...] = ()
