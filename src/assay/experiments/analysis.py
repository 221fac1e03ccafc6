"""From moments, looks and the plan to results: what may be said of an experiment, and no more.

Entry point: `results`. The rules are written down for users in docs/experiments.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.experiments import daily, declaring, sentences, sight
from assay.experiments.amounts import count
from assay.experiments.beside import Beside, Question
from assay.experiments.comparison import arm
from assay.model.experiments import MetricKind, Mode, Strategy
from assay.model.moments import RUN_METRICS
from assay.model.results import (
    ArmResult,
    Balance,
    EpochResult,
    MetricResult,
    PlanVersion,
    Results,
    Tally,
    UnitTally,
    VariantResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assay.experiments.facts import Facts
    from assay.model.experiments import Epoch, Plan
    from assay.model.moments import ArmMoments, Counts, Moments, UnitMoments
    from assay.store.experiments import PlanRecord

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """Scores of a metric that do not count as they are.

    Attributes:
        unserved: name what their run was not served.
        beyond: are too large to be summed with their squares.
    """

    unserved: int = 0
    beyond: int = 0


def results(facts: Facts, found: Mapping[str, Moments], odd: Mapping[str, Odd]) -> Results:
    """What an experiment says.

    Args:
        facts: of the experiment.
        found: the moments of each metric that is to be shown, the plan's among them.
        odd: scores of each metric that do not count as they are.
    """
    plan = facts.plan_spec
    any_moments = next(iter(found.values()), None)
    beside = Beside(facts, found)
    schedule = beside.schedule
    return Results(
        experiment=facts.experiment,
        data_cutoff=facts.cutoff,
        maturity_s=facts.maturity.total_seconds(),
        unit=facts.unit,
        mode=Mode.ANYTIME if plan is None else plan.mode,
        alpha=facts.alpha,
        plan_version=None if facts.plan is None else facts.plan.version,
        declared_at=None if facts.plan is None else facts.plan.declared_at,
        plans=[_version(one) for one in facts.plans],
        ends_at=_end(facts, schedule),
        stopped=facts.stopped,
        control=beside.arms.control,
        variants=list(beside.names),
        is_randomised=beside.is_randomised,
        balance=Balance(
            log_e=beside.log_e_balance if math.isfinite(beside.log_e_balance) else None,
            is_broken=beside.is_broken,
        ),
        forced=0 if any_moments is None else any_moments.forced,
        without_unit=0 if any_moments is None else any_moments.without_unit,
        after_cutoff=facts.after_cutoff,
        epochs=list(_epochs(facts.epochs, any_moments)),
        metrics=[
            _metric(name, moments, facts, beside, odd.get(name, Odd()))
            for name, moments in beside.found.items()
        ],
        other_metrics=[name for name in facts.metrics if name not in found],
        warnings=list(_warnings(facts, beside.arms, any_moments)),
    )


def _end(facts: Facts, schedule: sight.Schedule | None) -> datetime | None:
    """When the plan ends; in the anytime mode its days are the end of nothing."""
    plan = facts.plan_spec
    if schedule is None or facts.start is None or plan is None or plan.mode is not Mode.PLANNED:
        return None
    return schedule.end


def _version(one: PlanRecord) -> PlanVersion:
    return PlanVersion(
        version=one.version,
        declared_at=one.declared_at,
        app=None if one.by is None else one.by.app,
        app_version=None if one.by is None else one.by.version,
        worker=None if one.by is None else one.by.worker,
        author=one.author,
    )


def _epochs(epochs: Sequence[Epoch], moments: Moments | None) -> Iterator[EpochResult]:
    arms: dict[int, list[ArmMoments]] = {}
    for one in [] if moments is None else moments.arms:
        arms.setdefault(one.epoch, []).append(one)
    for epoch in epochs:
        own = arms.get(epoch.number, [])
        yield _epoch(epoch, None if moments is None else replace(moments, arms=own))


def _epoch(epoch: Epoch, moments: Moments | None) -> EpochResult:
    units = {} if moments is None else {one.variant: one.counts.units for one in moments.arms}
    evidence = None if moments is None else sight.log_e_balance(moments, [epoch])
    return EpochResult(
        epoch=epoch.number,
        strategy=epoch.strategy,
        weights=None if epoch.weights is None else dict(epoch.weights),
        sticky=epoch.sticky,
        app=epoch.app,
        version=epoch.version,
        worker=epoch.worker,
        author=epoch.author,
        opened_at=epoch.opened_at,
        is_randomised=epoch.is_randomised,
        units={name: units.get(name, 0) for name in dict.fromkeys([*epoch.variants, *units])},
        log_e=evidence if evidence is not None and math.isfinite(evidence) else None,
    )


def _metric(name: str, moments: Moments, facts: Facts, beside: Beside, odd: Odd) -> MetricResult:
    plan = facts.plan_spec
    decides = plan is not None and name == plan.primary
    kind = plan.kind if plan is not None and decides else None
    question = _question(name, moments, plan)
    variants: list[VariantResult] = []
    warnings: list[str] = []
    for variant in beside.arms.treatments:
        made, is_thin = beside.variant(question, moments, variant)
        variants.append(made)
        warnings += sentences.warnings(
            made,
            is_thin=is_thin,
            is_share=question.is_share,
            is_of_survivors=question.on_failure is None,
        )
    if kind is MetricKind.BOOLEAN and not question.is_share:
        warnings.append(
            f"the plan says that {name!r} is boolean, and values came that are neither 0 nor 1:"
            " they are read as numbers"
        )
    arms = [_arm(beside, question, moments, variant) for variant in beside.names]
    warnings += [
        f"{count(arm.tally.failed, 'run')} of {arm.variant!r} failed and none has a score: there"
        " is nothing to compare; run.failure says how many fail"
        for arm in arms
        if arm.tally.failed and not arm.tally.scored
    ]
    if odd.unserved:
        warnings.append(
            f"{count(odd.unserved, 'score')} named a variant which the run was not served: left out"
        )
    if odd.beyond:
        warnings.append(
            f"values beyond 1e140, which count as that: {count(odd.beyond, 'score')}; means and"
            " intervals mean nothing until those runs are scored again"
        )
    return MetricResult(
        metric=name,
        role=question.role,
        is_share=question.is_share,
        kind=kind,
        direction=plan.direction if plan is not None and decides else None,
        estimand="survivors"
        if question.on_failure is None and name not in RUN_METRICS
        else "all runs",
        on_failure=question.on_failure,
        arms=arms,
        variants=variants,
        unserved=odd.unserved,
        beyond=odd.beyond,
        warnings=warnings,
    )


def _question(name: str, moments: Moments, plan: Plan | None) -> Question:
    if plan is not None and name == plan.primary:
        return Question(
            metric=name,
            role="primary",
            on_failure=plan.on_failure,
            is_share=sight.is_boolean(plan, moments),
        )
    return Question(
        metric=name,
        role="guardrail" if plan is not None and name in plan.guardrails else "exploratory",
        on_failure=None,
        is_share=moments.is_binary,
    )


def _arm(beside: Beside, question: Question, moments: Moments, variant: str) -> ArmResult:
    figures, counts = beside.figures, [one.counts for one in moments.arms if one.variant == variant]
    is_share = question.is_share
    return ArmResult(
        variant=variant,
        is_control=variant == beside.arms.control,
        tally=_tally(counts),
        mean=figures.mean(
            arm(moments, variant, weighting="run", on_failure=question.on_failure),
            is_share=is_share,
        ),
        unit_mean=figures.mean(arm(moments, variant, weighting="unit"), is_share=is_share),
        coverage=figures.mean(arm(moments, variant, weighting="coverage"), is_share=True),
        failures=figures.mean(arm(moments, variant, weighting="failures"), is_share=True),
        runs_per_unit=figures.mean(arm(moments, variant, weighting="activity"), is_share=False),
    )


def _tally(counts: Sequence[Counts]) -> Tally:
    def total(name: str) -> int:
        return sum(int(getattr(one, name)) for one in counts)

    return Tally(
        **{name: total(name) for name in _names(Tally) if name != "pending"},
        pending=total("immature"),
    )


def unit_tally(one: UnitMoments) -> UnitTally:
    """What a unit adds to the tally of an arm, with its own mean."""
    counts = {
        name: getattr(one.counts, name)
        for name in _names(UnitTally)
        if name not in {"pending", "mean"}
    }
    return UnitTally(**counts, pending=one.counts.immature, mean=one.mean)


def _unscored(facts: Facts) -> Iterator[str]:
    """Metrics of the plan under whose names no score ever came: often a misspelt one."""
    plan = facts.plan_spec
    if plan is None or facts.start is None:
        return
    came = ", ".join(map(repr, facts.metrics))
    for name in daily.metrics(plan):
        if name in facts.metrics:
            continue
        what, so = "guardrail", "without it nothing is called better"
        if name == plan.primary:
            what, so = "primary metric", "without it nothing is decided"
        yield f"no score {name!r} ever came, the plan's {what}: {so}; there are {came}"


def _unchosen(facts: Facts, moments: Moments | None) -> Iterator[str]:
    """Units that were lost to the comparison before chance chose."""
    by_chance = {epoch.number for epoch in facts.epochs if epoch.is_randomised}
    if moments is None or not by_chance:
        return
    lost = sum(one.counts.units for one in moments.arms if one.epoch not in by_chance)
    if lost:
        yield (
            f"{count(lost, 'unit')} {'was' if lost == 1 else 'were'} first served where chance did"
            " not choose: left out; an experiment of another name begins anew"
        )


def _control_gone(facts: Facts, control: str | None) -> Iterator[str]:
    """That nobody is served any more what the variants are compared with."""
    newest = facts.chosen[-1] if facts.chosen else None
    if newest is None or control is None or newest.strategy is Strategy.FIXED:
        return
    if control not in newest.variants:
        gone = "is gone from the code"
    elif newest.weights is not None and not newest.weights[control]:
        gone = "has weight 0"
    else:
        return
    yield (
        f"the control {control!r} {gone} since {newest.opened_at:%Y-%m-%d %H:%M} UTC (epoch"
        f" {newest.number}): who comes since then is compared with nobody"
    )


def _of_plan(facts: Facts) -> Iterator[str]:
    """That the plan came late, or says more than is known here."""
    plan = facts.plan
    if plan is not None and facts.is_plan_late:
        made = "changed" if plan.version > 1 else "declared"
        yield (
            f"the plan was {made} on {plan.declared_at:%Y-%m-%d}: only units first exposed"
            " after that count"
        )
    if plan is not None and plan.beyond:
        yield (
            f"the plan says {' and '.join(map(repr, plan.beyond))}, which this version of Assay"
            " does not know: results are told without it, and looks are left to newer ones"
        )


def _warnings(facts: Facts, arms: sight.Arms, moments: Moments | None) -> Iterator[str]:
    plan = facts.plan_spec
    if not facts.epochs and facts.after_cutoff:
        yield (
            f"all so far, {count(facts.after_cutoff, 'exposure')}, came since"
            f" {facts.cutoff:%H:%M} UTC: results start with the next full hour,"
            f" {facts.cutoff + _HOUR:%H:%M} UTC"
        )
    elif not facts.epochs:
        yield "nobody was served a variant yet"
    elif not any(epoch.is_randomised for epoch in facts.epochs):
        yield (
            "variants are not chosen by chance with known probabilities: numbers describe what"
            " happened, and say nothing of what a variant does"
        )
    elif arms.control is not None and not arms.treatments:
        yield f"only {arms.control!r} has a share of the weights: there is nothing to compare"
    if plan is None:
        yield "no plan is declared: all intervals are exploratory"
    elif plan.control is not None and arms.control not in (None, plan.control):
        yield (
            f"the plan's control {plan.control!r} was never served: {arms.control!r} stands in, and"
            " nothing is decided"
        )
    yield from _control_gone(facts, arms.control)
    yield from _of_plan(facts)
    yield from _unscored(facts)
    yield from _unchosen(facts, moments)
    yield from declaring.warnings(facts)
    crossed = 0 if moments is None else sum(one.counts.crossed for one in moments.arms)
    if crossed:
        yield (
            f"served another variant than the unit was first, and counted for that one:"
            f" {count(crossed, 'run')}; this hides what variants do, unless a unit always gets the"
            " same"
        )
    if moments is not None and moments.without_unit:
        yield f"left out, since no unit was named: {count(moments.without_unit, 'exposure')}"


def _names(tally: type[Tally | UnitTally]) -> list[str]:
    return [field.name for field in fields(tally)]
