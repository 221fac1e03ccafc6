"""Looks at an experiment: rows that are never recomputed, and the first crossing is the verdict.

In the planned mode a look is tested against a boundary that spends a share of alpha, over the
information (1 / variance) of the looks tested before. In the anytime mode each look is a t-mixture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from assay.model.looks import Look, Word
from assay.stats import anytime, planned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from assay.experiments.comparison import Comparison

GROWTH = 1.01
"""A planned look whose information grew by less tests nothing new, and spends nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a plan says of its looks.

    Attributes:
        alpha: of this variant's comparison; of all variants together where there are several.
        higher_is_better: which way is good.
        margin: within which variants count as equivalent, if that is asked.
    """

    alpha: float
    higher_is_better: bool = True
    margin: float | None = None

    def of_alpha(self, alpha: float) -> Rules:
        """The same with another alpha."""
        return replace(self, alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A metric that must not get worse by more than a margin, as it is seen at a cutoff.

    Attributes:
        margin: by how much it may fall, or, where it is negative, rise.
    """

    metric: str
    margin: float
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is to see at a cutoff, before it is tested.

    Attributes:
        time: the share of the planned time that has gone, 0 to 1.
        is_final: whether this is the look at the end of the plan.
        coverage: runs of which the end is known, in both arms.
        bounds: the comparison were all silent runs against the word; none for numbers.
        log_e_balance: the log of the evidence that units did not come as the weights say.
        is_randomised: whether variants were chosen by chance, as far as anybody declared.
    """

    cutoff: datetime
    comparison: Comparison
    time: float = 0.0
    is_final: bool = False
    coverage: Comparison | None = None
    bounds: Mapping[Word, Comparison] = field(default_factory=dict)
    guardrails: Sequence[Guardrail] = ()
    log_e_balance: float = 0.0
    is_randomised: bool = True


class Spent(NamedTuple):
    """What a tested look knew, and had spent.

    Attributes:
        information: 1 / variance.
        time: of its spending.
        alpha: spent until then, as far as that may be more than alpha today says of that time.
    """

    information: float
    time: float
    alpha: float = 0.0


def planned_look(history: Sequence[Look], seen: Seen, rules: Rules) -> Look:
    """The next look of the planned mode after those in *history*."""
    untested = _untestable(seen)
    if untested is not None:
        return untested
    difference = seen.comparison.difference
    assert difference is not None
    information = 1 / difference.variance
    before = _tested(history)
    if not seen.is_final and before and information < GROWTH * before[-1].information:
        return _untested(seen, "information grew by under 1 %")
    time = 1.0 if seen.is_final else seen.time
    boundary = boundary_after(before, information, time, rules.alpha, replaces=seen.is_final)
    multiplier = planned.t_of(boundary, difference.df)
    ci = _interval(difference.estimate, multiplier * difference.se)
    return Look(
        cutoff=seen.cutoff,
        tested=True,
        alpha=rules.alpha,
        n_units=seen.comparison.units,
        estimate=difference.estimate,
        se=difference.se,
        df=difference.df,
        information=information,
        time=time,
        deviate=planned.z_of(difference.estimate / difference.se, difference.df),
        boundary=boundary,
        spent=max([planned.spent(time, rules.alpha), *(one.alpha for one in before[-1:])]),
        ci=ci,
        word=_word(ci, rules, is_final=seen.is_final),
    )


def boundary_now(history: Sequence[Look], seen: Seen, alpha: float) -> float | None:
    """The boundary that a planned look would have now, which is none and changes nothing.

    Those in *history* that have seen about as much give way to it. None where nothing is testable.
    """
    difference = seen.comparison.difference
    if seen.comparison.reason is not None or difference is None:
        return None
    return boundary_after(
        _tested(history), 1 / difference.variance, seen.time, alpha, replaces=True
    )


def boundary_after(
    tested: Sequence[Spent],
    information: float,
    time: float,
    alpha: float,
    *,
    replaces: bool,
) -> float:
    """The boundary of a look after the *tested* ones.

    A look that *replaces* the last one, which knew as much, spends what that one spent too: it is
    the same look. Information may fall: other looks that knew as much are left out of the walk, but
    what they spent is gone.
    """
    if replaces and tested and information < GROWTH * tested[-1].information:
        tested = tested[:-1]
    path: list[Spent] = []
    for one in tested:
        is_more = not path or one.information >= GROWTH * path[-1].information
        if one.information * GROWTH <= information and is_more:
            path.append(one)
    return planned.boundaries(
        [*[one.information for one in path], information],
        [*[one.time for one in path], time],
        alpha,
        since=tested[-1].time if tested else None,
        gone=tested[-1].alpha if tested else 0.0,
    )[-1]


def kept_tuning(history: Sequence[Look], first: float) -> float:
    """The anytime mode's g that a variant's first look chose; *first* where there is none yet."""
    return next((look.g for look in history if look.g is not None), first)


def _tested(history: Sequence[Look]) -> list[Spent]:
    return [
        Spent(look.information, look.time, look.spent or 0.0)
        for look in history
        if look.tested and look.information is not None and look.time is not None
    ]


def anytime_look(seen: Seen, rules: Rules, *, g: float) -> Look:
    """A look of the anytime mode; *g* is that of the variant's first look (`kept_tuning`)."""
    untested = _untestable(seen)
    if untested is not None:
        return untested
    difference, units = seen.comparison.difference, seen.comparison.units
    assert difference is not None
    t = difference.estimate / difference.se
    multiplier = anytime.multiplier(rules.alpha, df=difference.df, units=units, g=g)
    ci = _interval(difference.estimate, multiplier * difference.se)
    return Look(
        cutoff=seen.cutoff,
        tested=True,
        alpha=rules.alpha,
        n_units=units,
        estimate=difference.estimate,
        se=difference.se,
        df=difference.df,
        information=1 / difference.variance,
        deviate=planned.z_of(t, difference.df),
        log_e=anytime.log_e(t, df=difference.df, units=units, g=g),
        ci=ci,
        word=_word(ci, rules, is_final=seen.is_final),
    )


def _untestable(seen: Seen) -> Look | None:
    reason = seen.comparison.reason
    return _untested(seen, reason) if reason is not None else None


def _untested(seen: Seen, reason: str) -> Look:
    return Look(
        cutoff=seen.cutoff,
        tested=False,
        reason=reason,
        n_units=seen.comparison.units,
        time=seen.time,
        word=Word.NOT_SHOWN if seen.is_final else None,
    )


def _interval(estimate: float, half: float) -> tuple[float, float]:
    return (estimate - half, estimate + half) if math.isfinite(half) else (-math.inf, math.inf)


def _word(ci: tuple[float, float], rules: Rules, *, is_final: bool) -> Word:
    low, high = ci
    if low > 0 or high < 0:
        return Word.BETTER if (low > 0) is rules.higher_is_better else Word.WORSE
    if rules.margin is not None and -rules.margin < low and high < rules.margin:
        return Word.EQUIVALENT
    return Word.NOT_SHOWN if is_final else Word.KEEP_COLLECTING
