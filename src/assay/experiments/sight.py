"""What is seen of an experiment at a cutoff: variants beside the control, guardrails, balance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.experiments.comparison import bound, compare
from assay.experiments.looks import Guardrail, Rules, Seen
from assay.model.experiments import Direction, MetricKind
from assay.model.looks import Word
from assay.stats import anytime, balance

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from assay.experiments.comparison import Comparison
    from assay.model.experiments import Epoch, Plan
    from assay.model.moments import Moments

UNPLANNED_UNITS = 500
_TO_AND_FRO = 3
ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a plan is looked at.

    Attributes:
        start: the midnight before its first exposure.
        end: of the planned mode; None where the plan has none.
    """

    start: datetime
    end: datetime | None
    maturity: timedelta

    def time(self, cutoff: datetime) -> float:
        """The share of the planned time that has gone at a cutoff."""
        if self.end is None:
            return 0.0
        begin = self.start + self.maturity
        return min(1.0, max(0.0, (cutoff - begin) / (self.end - begin)))


def schedule(plan: Plan, first: datetime) -> Schedule:
    """When a plan is looked at whose first unit was exposed at an instant."""
    start = midnight(first)
    days = plan.days
    return Schedule(
        start=start,
        end=None if days is None else start + timedelta(days=math.ceil(days)),
        maturity=timedelta(seconds=plan.maturity_s),
    )


def midnight(at: datetime) -> datetime:
    """The last 00:00 UTC until an instant."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """The variants that are compared.

    Attributes:
        treatments: all but the control, in the code's order.
    """

    control: str | None
    treatments: tuple[str, ...]


def arms(epochs: Sequence[Epoch], control: str | None, served: Collection[str] = ()) -> Arms:
    """The variants that epochs served, the control first of the code's unless named.

    One of weight 0 is among them if it was *served*: kept by a unit, or picked all the same.
    """
    names = dict.fromkeys(
        name
        for epoch in epochs
        for name in epoch.variants
        if epoch.weights is None or epoch.weights.get(name) or name in served
    )
    if control is None or control not in names:
        control = next(iter(names), None)
    return Arms(control=control, treatments=tuple(name for name in names if name != control))


def way_of(epoch: Epoch) -> tuple[object, ...]:
    """How variants were chosen in it: equal where nothing differs."""
    return (
        epoch.strategy,
        epoch.variants,
        epoch.weights,
        epoch.salt,
        epoch.unit_kind,
        epoch.sticky,
    )


def served(moments: Moments) -> set[str]:
    """The variants that units were served."""
    return {arm.variant for arm in moments.arms}


def most_returns(epochs: Sequence[Epoch], *, within: timedelta) -> int:
    """How often at most the way of choosing changed within a time, to and fro more than once.

    0 where that never was: a change that is taken back is nobody's fault.
    """
    ways = [way_of(one) for one in epochs]
    most = 0
    for first, one in enumerate(epochs[1:], start=1):
        until = one.opened_at + within
        after = next((n for n in range(first, len(epochs)) if epochs[n].opened_at > until), None)
        changes = ways[first:after]
        if len(changes) >= _TO_AND_FRO and changes[0] in changes[2:]:
            most = max(most, len(changes))
    return most


def is_boolean(plan: Plan, moments: Moments) -> bool:
    """Whether values of the primary metric are 0 and 1: as the plan says, until others came."""
    is_scored = any(arm.counts.scored for arm in moments.arms)
    return plan.kind is MetricKind.BOOLEAN and (moments.is_binary or not is_scored)


def randomised(moments: Moments, epochs: Sequence[Epoch]) -> Moments:
    """Without the epochs in which chance did not choose."""
    by_chance = {epoch.number for epoch in epochs if epoch.is_randomised}
    return replace(moments, arms=[arm for arm in moments.arms if arm.epoch in by_chance])


def log_e_balance(moments: Moments, epochs: Sequence[Epoch]) -> float:
    """The log of the evidence, over all epochs, that units did not come as the weights say."""
    units = {(arm.epoch, arm.variant): arm.counts.units for arm in moments.arms}
    return math.fsum(
        balance.log_e(
            [units.get((epoch.number, name), 0) for name in epoch.weights],
            list(epoch.weights.values()),
        )
        for epoch in epochs
        if epoch.is_randomised and epoch.weights is not None
    )


def tuning(plan: Plan | None, variants: int, alpha: float) -> float:
    """The anytime mode's g: for as many units as two of the variants are planned to have."""
    if plan is None or plan.units is None:
        return anytime.tuning(UNPLANNED_UNITS, alpha)
    return anytime.tuning(plan.units * 2 / variants, alpha)


def rules(plan: Plan) -> Rules:
    """What a plan says of its looks."""
    return Rules(
        alpha=plan.alpha,
        higher_is_better=plan.direction is Direction.HIGHER,
        margin=plan.margin,
    )


def seen(
    plan: Plan,
    schedule: Schedule,
    moments: Mapping[str, Moments],
    epochs: Sequence[Epoch],
    cutoff: datetime,
) -> dict[str, Seen]:
    """What is seen of each variant but the control; *moments* are of the plan's metrics."""
    primary = moments[plan.primary]
    fair = {name: randomised(one, epochs) for name, one in moments.items()}
    compared = arms(epochs, plan.control, served(primary))
    if compared.control is None:
        return {}
    broken = log_e_balance(primary, epochs)
    by_chance = any(epoch.is_randomised for epoch in epochs)
    return {
        variant: Seen(
            cutoff=cutoff,
            comparison=_of_plan(
                plan,
                compare(
                    fair[plan.primary],
                    variant=variant,
                    control=compared.control,
                    weighting="run",
                    on_failure=plan.on_failure,
                ),
            ),
            time=schedule.time(cutoff),
            is_final=cutoff == schedule.end,
            coverage=compare(
                fair[plan.primary], variant=variant, control=compared.control, weighting="coverage"
            ),
            bounds=_bounds(plan, fair[plan.primary], variant, compared.control),
            guardrails=[
                _guardrail(plan, fair, name, variant, compared.control) for name in plan.guardrails
            ],
            log_e_balance=broken,
            is_randomised=by_chance,
        )
        for variant in compared.treatments
    }


def _of_plan(plan: Plan, comparison: Comparison) -> Comparison:
    """Untestable beside another control than the plan's: looks at both would be of two things."""
    if plan.control in {None, comparison.control_variant}:
        return comparison
    return replace(comparison, reason=f"the plan's control {plan.control!r} was not served yet")


def _bounds(plan: Plan, moments: Moments, variant: str, control: str) -> dict[Word, Comparison]:
    """For booleans, the comparison were every silent run against the word."""
    if not is_boolean(plan, moments):
        return {}
    good, bad = (1.0, 0.0) if plan.direction is Direction.HIGHER else (0.0, 1.0)
    silent = {Word.BETTER: (good, bad), Word.WORSE: (bad, good)}
    return {
        word: bound(
            moments, variant=variant, control=control, silent=supposed, on_failure=plan.on_failure
        )
        for word, supposed in silent.items()
    }


def _guardrail(
    plan: Plan, moments: Mapping[str, Moments], name: str, variant: str, control: str
) -> Guardrail:
    return Guardrail(
        metric=name,
        margin=plan.guardrails[name],
        comparison=compare(moments[name], variant=variant, control=control, weighting="run"),
    )
