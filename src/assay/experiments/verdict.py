"""What may be said of each variant: looks at all of them together, and the verdict that stands.

Several variants share alpha after Holm 1979. A crossing counts only where units came as the weights
say, silence does not differ between arms by more than chance (or could not turn what is shown), and
for a better variant every guardrail holds.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.experiments.looks import (
    Spent,
    anytime_look,
    boundary_after,
    kept_tuning,
    planned_look,
)
from assay.model.experiments import Mode
from assay.model.looks import GuardrailLook, GuardrailWord, Word
from assay.stats import anytime, balance, planned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from assay.experiments.comparison import Comparison
    from assay.experiments.looks import Guardrail, Rules, Seen
    from assay.model.looks import Look

COVERAGE_ALPHA = 0.001
"""A difference in coverage that is less likely by chance takes a verdict away."""
BROKEN_GUARDRAIL = "guardrail broken"
_SHOWN = (Word.BETTER, Word.WORSE)
_SAID = (*_SHOWN, Word.EQUIVALENT)
_FINAL = (*_SAID, Word.NOT_SHOWN)
LOG_ALARM = math.log(balance.ALARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What stands.

    Attributes:
        look: that gave it; None while nothing is decided and nothing was looked at.
        is_decided: whether it stands for good.
    """

    word: Word
    reason: str | None
    look: Look | None
    is_decided: bool


def next_looks(
    history: Mapping[str, Sequence[Look]],
    seen: Mapping[str, Seen],
    rules: Rules,
    *,
    mode: Mode,
    g: float,
) -> dict[str, Look]:
    """The next look of every variant, from what was seen of each and their looks so far.

    *rules* hold the alpha of all variants together. *g* is the tuning of the anytime mode for a
    variant that is looked at for the first time: the mixture of others stays what it was, since one
    that changes with what is seen holds at no look.
    """
    shown = {variant for variant in seen if is_shown(history.get(variant, ()))}
    settled: dict[str, Look] = {}
    while True:
        share = rules.of_alpha(rules.alpha / max(1, len(seen) - len(shown)))
        looks = {
            variant: _look(history.get(variant, ()), one, share, rules, mode=mode, g=g)
            for variant, one in seen.items()
            if variant not in settled
        }
        new = {variant for variant, look in looks.items() if look.word in _SHOWN} - shown
        if not new:
            return {variant: settled.get(variant) or looks[variant] for variant in seen}
        settled |= {variant: looks[variant] for variant in new}
        shown |= new


def standing(looks: Sequence[Look]) -> Verdict:
    """The verdict that the looks at one variant in one mode have come to.

    The first that says something stands for good; an assignment that is broken undoes it. What the
    last look of a plan said stands too, since none follows.
    """
    broken = next((look for look in looks if _is_broken(look)), None)
    if broken is not None:
        return Verdict(word=Word.INVALID, reason=broken.reason, look=broken, is_decided=True)
    decided = next((look for look in looks if look.word in _FINAL), None)
    if decided is not None and decided.word is not None:
        return Verdict(word=decided.word, reason=decided.reason, look=decided, is_decided=True)
    last = looks[-1] if looks else None
    return Verdict(
        word=(last.word if last else None) or Word.KEEP_COLLECTING,
        reason=last.reason if last else "not looked at yet",
        look=last,
        is_decided=last is not None and last.tested and last.time == 1.0,
    )


def ended(verdict: Verdict, stopped_at: datetime | None) -> Verdict:
    """What a verdict is once no look follows: what was not shown by then is not shown."""
    if stopped_at is None or verdict.word is not Word.KEEP_COLLECTING:
        return verdict
    reason, stopped = verdict.reason, f"stopped on {stopped_at:%Y-%m-%d}"
    if reason is not None and reason.startswith("guardrail"):
        # A difference that was shown is not lost with the stop; its guardrail is missing.
        stopped = f"{reason}; {stopped}"
    return replace(verdict, word=Word.NOT_SHOWN, reason=stopped)


def coverage_p(seen: Seen) -> float:
    """How likely by chance so large a difference in coverage is; 1 where it can't be told."""
    chance = None if seen.coverage is None else comparison_p(seen.coverage)
    return 1.0 if chance is None else chance


def comparison_p(comparison: Comparison) -> float | None:
    """How likely by chance so large a difference is, at a single look; None without variance."""
    difference = comparison.difference
    if difference is None or difference.variance == 0:
        return None
    from scipy.special import ndtr  # noqa: PLC0415 - dear to import, rarely needed

    deviate = planned.z_of(difference.estimate / difference.se, difference.df)
    return float(2 * ndtr(-abs(deviate)))


def is_shown(looks: Sequence[Look]) -> bool:
    """Whether looks have shown a difference, which frees this variant's share of alpha."""
    return any(look.word in _SHOWN for look in looks)


def _is_broken(look: Look) -> bool:
    return look.log_e_balance is not None and look.log_e_balance >= LOG_ALARM


def _look(
    history: Sequence[Look], seen: Seen, share: Rules, rules: Rules, *, mode: Mode, g: float
) -> Look:
    g = kept_tuning(history, g)
    if mode is Mode.PLANNED:
        look = planned_look(history, seen, share)
    else:
        look = anytime_look(replace(seen, is_final=False), share, g=g)
    guardrails = tuple(
        guarded(one, history, look, rules, mode=mode, g=g) for one in seen.guardrails
    )
    # Units of a variant of weight 0 are proof, which a row has to hold as a number.
    evidence = min(seen.log_e_balance, sys.float_info.max)
    look = replace(look, g=g, guardrails=guardrails, log_e_balance=evidence)
    if not seen.is_randomised:
        reason = "not randomised: nobody declared with which probabilities variants are chosen"
        return replace(look, word=Word.INVALID, reason=reason)
    if _is_broken(look) or any(map(_is_broken, history)):
        reason = "units did not come to the variants as the weights say"
        return replace(look, word=Word.INVALID, reason=reason)
    doubt = in_doubt(look, seen, rules)
    if doubt is not None:
        return replace(look, word=Word.INVALID, reason=doubt)
    if look.word is Word.BETTER and any(one.word is not GuardrailWord.HELD for one in guardrails):
        # Final or not, a crossing without its guardrails decides nothing.
        word = Word.NOT_SHOWN if seen.is_final and mode is Mode.PLANNED else Word.KEEP_COLLECTING
        return replace(look, word=word, reason=_missing(guardrails))
    return look


def _missing(guardrails: Sequence[GuardrailLook]) -> str:
    """Which guardrails keep a variant from being called better: broken ones, else open ones."""
    broken = [one.metric for one in guardrails if one.word is GuardrailWord.BROKEN]
    if broken:
        return f"{BROKEN_GUARDRAIL}: {', '.join(broken)}"
    return "guardrail: " + ", ".join(
        one.metric for one in guardrails if one.word is not GuardrailWord.HELD
    )


def in_doubt(look: Look, seen: Seen, rules: Rules) -> str | None:
    """How silence, as it is *seen*, could turn what a look says; None where it can not."""
    if look.word not in _SAID or coverage_p(seen) >= COVERAGE_ALPHA:
        return None
    return None if _is_beyond_doubt(look, seen, rules) else _unequal(seen)


def _is_beyond_doubt(look: Look, seen: Seen, rules: Rules) -> bool:
    """Whether the word would hold were every silent run against it."""
    if look.ci is None or look.se is None or look.estimate is None or look.word is None:
        return False
    words = _SHOWN if look.word is Word.EQUIVALENT else (look.word,)
    multiplier = (look.ci[1] - look.estimate) / look.se
    ends: list[float] = []
    for word in words:
        difference = seen.bounds[word].difference if word in seen.bounds else None
        if difference is None:
            return False
        half = multiplier * difference.se
        ends += [difference.estimate - half, difference.estimate + half]
    if look.word is Word.EQUIVALENT:
        return rules.margin is not None and max(map(abs, ends)) < rules.margin
    return min(ends) > 0 if look.ci[0] > 0 else max(ends) < 0


def _unequal(seen: Seen) -> str:
    coverage = seen.coverage
    assert coverage is not None
    assert coverage.control is not None
    assert coverage.treatment is not None
    return (
        f"answered {coverage.treatment.estimate:.0%} of {coverage.variant!r}"
        f" and {coverage.control.estimate:.0%} of {coverage.control_variant!r}"
    )


def guarded(
    guardrail: Guardrail,
    history: Sequence[Look],
    look: Look,
    rules: Rules,
    *,
    mode: Mode,
    g: float,
) -> GuardrailLook:
    """What a look sees of a guardrail: one-sided, so at twice the alpha of a two-sided interval."""
    seen = guardrail.comparison
    made = GuardrailLook(metric=guardrail.metric, margin=guardrail.margin)
    difference = seen.difference
    if seen.units == 0:
        return replace(made, reason="no score of this name counts yet")
    if seen.reason is not None or difference is None:
        return replace(made, reason=seen.reason)
    information = 1 / difference.variance
    alpha = 2 * rules.alpha
    if mode is Mode.PLANNED:
        multiplier = _planned_multiplier(guardrail.metric, history, look, information, alpha)
        half = planned.t_of(multiplier, difference.df) * difference.se
    else:
        half = difference.se * anytime.multiplier(alpha, df=difference.df, units=seen.units, g=g)
    low, high = difference.estimate - half, difference.estimate + half
    # As if it were a fall: how far it is above what the margin allows, at its bad and its good end.
    falls = guardrail.margin >= 0
    margin = abs(guardrail.margin)
    bad, good = (low, high) if falls else (-high, -low)
    word = GuardrailWord.OPEN
    if bad > -margin:
        word = GuardrailWord.HELD
    elif good < -margin:
        word = GuardrailWord.BROKEN
    return replace(
        made,
        estimate=difference.estimate,
        se=difference.se,
        information=information,
        bound=low if falls else high,
        word=word,
    )


def _planned_multiplier(
    metric: str, history: Sequence[Look], look: Look, information: float, alpha: float
) -> float:
    known = [
        (one.information, before.time)
        for before in history
        if before.tested
        for one in before.guardrails
        if one.metric == metric
    ]
    time = 1.0 if look.time is None else look.time
    return boundary_after(
        [Spent(info, at) for info, at in known if info is not None and at is not None],
        information,
        time,
        alpha,
        replaces=time >= 1,
    )
