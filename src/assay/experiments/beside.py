"""Each variant beside the control: its difference as it is today, and the verdict that stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from assay.experiments import sentences, sight
from assay.experiments.comparison import compare
from assay.experiments.figures import TOO_EARLY, Figures, Reach
from assay.experiments.looks import boundary_now, kept_tuning
from assay.experiments.verdict import (
    BROKEN_GUARDRAIL,
    LOG_ALARM,
    ended,
    guarded,
    in_doubt,
    is_shown,
    standing,
)
from assay.model.experiments import Mode
from assay.model.looks import GuardrailWord, Look, Word
from assay.model.results import (
    EpochShare,
    GuardrailResult,
    Planning,
    Standing,
    VariantResult,
)
from assay.stats import power

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.experiments.comparison import Comparison, Weighting
    from assay.experiments.facts import Facts
    from assay.experiments.looks import Guardrail, Seen
    from assay.model.looks import GuardrailLook
    from assay.model.moments import Moments
    from assay.model.results import Figure

_POWER = 0.8
_TOO_MANY = 1e6
"""Times as many standard errors as there are, for the square of it times as many units."""
_BY_ITSELF = "each run is assigned by itself: how many are of a variant is what the weights say"
_FACTORS = {"planned": power.PLANNED_FACTOR, "anytime": power.ANYTIME_FACTOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a metric.

    Attributes:
        on_failure: what failed runs count as; None leaves them out.
        is_share: whether its values are 0 and 1.
    """

    metric: str
    role: Literal["primary", "guardrail", "exploratory"]
    on_failure: float | None
    is_share: bool


class Beside:
    """Variants beside the control, at one cutoff.

    Attributes:
        found: moments by metric, without epochs in which chance did not choose, unless it never
            did: then all of them describe.
        names: of all variants, the control first.
    """

    def __init__(self, facts: Facts, found: Mapping[str, Moments]) -> None:
        plan = facts.plan_spec
        self._facts = facts
        self.is_randomised = any(epoch.is_randomised for epoch in facts.epochs)
        self.found = {
            name: sight.randomised(moments, facts.epochs) if self.is_randomised else moments
            for name, moments in found.items()
        }
        units = next((sight.served(moments) for moments in found.values()), set())
        self.arms = sight.arms(facts.epochs, None if plan is None else plan.control, units)
        control = self.arms.control
        self.names = (*([] if control is None else [control]), *self.arms.treatments)
        self.schedule = None if plan is None else sight.schedule(plan, facts.start or facts.cutoff)
        self.log_e_balance = next(
            (sight.log_e_balance(moments, facts.epochs) for moments in found.values()), 0.0
        )
        self.is_broken = self.log_e_balance >= LOG_ALARM
        self.figures = Figures(
            unit=facts.varying,
            cutoff=facts.cutoff,
            alpha=facts.alpha,
            is_randomised=self.is_randomised,
        )
        self._seen: Mapping[str, Seen] = {}
        if plan is not None and self.schedule is not None and plan.primary in found:
            self._seen = sight.seen(plan, self.schedule, found, facts.epochs, facts.cutoff)

    def variant(
        self, question: Question, moments: Moments, variant: str
    ) -> tuple[VariantResult, bool]:
        """A variant beside the control, and whether its intervals rest on few units."""
        control = self.arms.control
        assert control is not None

        def by(weighting: Weighting, on_failure: float | None = None) -> Comparison:
            return compare(
                moments,
                variant=variant,
                control=control,
                weighting=weighting,
                on_failure=on_failure,
            )

        main, survivors, by_unit = by("run", question.on_failure), by("run"), by("unit")
        decides = question.role == "primary"
        reach = self._reach(variant, decides=decides)
        planning = self._planning(main, reach)
        guardrails = self._guardrails(variant, reach) if decides else []
        broken = [one.metric for one in guardrails if one.word is GuardrailWord.BROKEN]
        figures, is_share = self.figures, question.is_share
        made = VariantResult(
            variant=variant,
            control_variant=control,
            control=figures.mean(main.control, is_share=is_share),
            treatment=figures.mean(main.treatment, is_share=is_share),
            difference=figures.difference(main, reach),
            by_unit=figures.difference(by_unit, reach),
            weightings_differ=_differ(survivors, by_unit),
            survivors=figures.difference(survivors, reach),
            relative=figures.relative(main, reach),
            coverage=figures.tested(by("coverage")),
            runs_per_unit=figures.tested(
                by("activity"), untold=_BY_ITSELF if self._facts.is_by_run else None
            ),
            failures=figures.tested(by("failures")),
            epochs=[EpochShare(epoch=one.epoch, weight=one.weight) for one in main.epochs],
            epochs_left_out=list(main.epochs_left_out),
            guardrails=guardrails,
            standing=self._standing(variant, planning, broken, is_share=question.is_share)
            if decides or self._facts.plan is None
            else None,
            planning=planning if decides or self._facts.plan is None else None,
        )
        return made, main.is_thin

    def _history(self, variant: str) -> Sequence[Look]:
        return self._facts.looks.get(variant, ())

    def _reach(self, variant: str, *, decides: bool) -> Reach:
        """As a look would reach before a verdict; afterwards and elsewhere at any time."""
        plan, alpha = self._facts.plan_spec, self._facts.alpha
        variants = len(self.arms.treatments)
        g = kept_tuning(self._history(variant), sight.tuning(plan, variants + 1, alpha))
        if plan is None or not decides or standing(self._history(variant)).is_decided:
            return Reach(mode="anytime", alpha=alpha / max(1, variants), g=g)
        shown = sum(is_shown(self._history(name)) for name in self.arms.treatments)
        share = alpha / max(1, variants - shown)
        if plan.mode is Mode.ANYTIME or variant not in self._seen:
            return Reach(mode="anytime", alpha=share, g=g)
        boundary = boundary_now(self._history(variant), self._seen[variant], share)
        return Reach(
            mode="planned",
            alpha=share,
            g=g,
            boundary=math.inf if boundary is None else boundary,
        )

    def _planning(self, comparison: Comparison, reach: Reach) -> Planning:
        plan, found = self._facts.plan_spec, comparison.difference
        wanted = None if plan is None else plan.mde
        chance = _POWER if plan is None else plan.power
        mde = needed = more = None
        reason = comparison.reason
        if found is not None and reason is None:
            factor = _FACTORS["planned" if reach.mode == "planned" else "anytime"]
            mde = power.detectable(found.se, alpha=reach.alpha, power=chance, factor=factor)
            if wanted is None:
                reason = "no plan names the smallest difference worth finding (mde)"
            elif mde > _TOO_MANY * wanted:
                reason = (
                    "the smallest difference worth finding (mde) is too small for any experiment"
                )
            else:
                needed = math.ceil(
                    power.units_needed(
                        comparison.units,
                        found.se,
                        difference=wanted,
                        alpha=reach.alpha,
                        power=chance,
                        factor=factor,
                    )
                )
                more = max(0, needed - comparison.units)
        return Planning(
            unit=self.figures.unit,
            alpha=reach.alpha,
            power=chance,
            mde=mde,
            difference=wanted,
            units_needed=needed,
            units_more=more,
            reason=reason,
        )

    def _standing(
        self, variant: str, planning: Planning, broken: Sequence[str], *, is_share: bool
    ) -> Standing:
        plan, history = self._facts.plan_spec, self._history(variant)
        verdict = standing(history)
        word: Word | None = verdict.word
        reason, look, is_decided = verdict.reason, verdict.look, verdict.is_decided
        if not self.is_randomised:
            word, reason = Word.INVALID, "not randomised"
        elif self.is_broken:
            word, reason = Word.INVALID, "units did not come to the variants as the weights say"
        elif plan is None:
            word, reason = None, "no plan"
        else:
            kept = reason is not None and reason.startswith("guardrail")
            if kept and look is not None:
                reason = self._open(look) or reason
            stopped = self._facts.stopped
            last = ended(replace(verdict, reason=reason), None if stopped is None else stopped.at)
            word, reason = last.word, last.reason
        doubts: list[str] = []
        seen = self._seen.get(variant)
        if plan is not None and look is not None and seen is not None and word is look.word:
            # The look stands, as its row does; but who reads it today has to know.
            silence = in_doubt(look, seen, sight.rules(plan))
            doubts += [] if silence is None else [silence]
            if word is Word.BETTER and broken:
                doubts.append(f"{BROKEN_GUARDRAIL}: {', '.join(broken)}")
        difference = None
        if plan is not None and look is not None and look.tested:
            mode: Literal["planned", "anytime"] = (
                "planned" if plan.mode is Mode.PLANNED else "anytime"
            )
            difference = self.figures.looked(look, mode)
            if look.se is not None and word is not Word.KEEP_COLLECTING:
                # What that look could have found, and not what today's data could.
                could = power.detectable(
                    look.se, alpha=difference.alpha, power=planning.power, factor=_FACTORS[mode]
                )
                planning = replace(planning, mde=could)
        return Standing(
            word=word,
            reason=f"in doubt since: {'; '.join(doubts)}" if doubts else reason,
            is_decided=is_decided,
            cutoff=None if look is None else look.cutoff,
            difference=difference,
            sentence=sentences.verdict(
                word,
                variant=variant,
                control=str(self.arms.control),
                reason=reason,
                seen=difference,
                planning=planning,
                is_share=is_share,
                at=look.cutoff if look is not None and is_decided else None,
                doubts=doubts,
            ),
        )

    def _open(self, look: Look) -> str | None:
        """Which guardrails are open for want of any score."""
        unheard = [
            repr(one.metric)
            for one in look.guardrails
            if one.word is not GuardrailWord.HELD and one.metric not in self._facts.metrics
        ]
        return f"guardrail: no score {' or '.join(unheard)} ever came" if unheard else None

    def _guardrails(self, variant: str, reach: Reach) -> list[GuardrailResult]:
        plan = self._facts.plan_spec
        seen = self._seen.get(variant)
        if plan is None or seen is None:
            return []
        now = Look(cutoff=self._facts.cutoff, tested=True, time=seen.time)
        mode = Mode.PLANNED if reach.mode == "planned" else Mode.ANYTIME
        return [
            self._guardrail(
                one,
                guarded(one, self._history(variant), now, sight.rules(plan), mode=mode, g=reach.g),
                mode,
            )
            for one in seen.guardrails
        ]

    def _why_open(self, metric: str, bare: Figure) -> str:
        if metric not in self._facts.metrics:
            return f"no score {metric!r} ever came"
        return bare.reason or TOO_EARLY

    def _guardrail(self, one: Guardrail, look: GuardrailLook, mode: Mode) -> GuardrailResult:
        bare = self.figures.difference(one.comparison)
        ci = None
        if look.bound is not None and look.estimate is not None and math.isfinite(look.bound):
            half = abs(look.estimate - look.bound)
            ci = (look.estimate - half, look.estimate + half)
        return GuardrailResult(
            metric=one.metric,
            margin=one.margin,
            is_share=self.found[one.metric].is_binary,
            difference=replace(
                bare,
                ci=ci,
                mode="planned" if mode is Mode.PLANNED else "anytime",
                alpha=2 * self._facts.alpha,
                reason=bare.reason if ci is not None else self._why_open(one.metric, bare),
            ),
            word=look.word if ci is not None else None,
        )


def _differ(survivors: Comparison, by_unit: Comparison) -> bool:
    """Whether the weightings are more than one standard error apart."""
    one, other = survivors.difference, by_unit.difference
    if one is None or other is None or survivors.reason is not None:
        return False
    return abs(one.estimate - other.estimate) > one.se
