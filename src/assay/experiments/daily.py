"""Looks are taken daily, whoever opens a page: one at each 00:00 UTC, an hour later, in order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.experiments import sight
from assay.experiments.verdict import next_looks
from assay.model.experiments import Mode
from assay.model.moments import Counting
from assay.store import experiments, looks
from assay.store.moments import moments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.model.experiments import Epoch, Plan
    from assay.model.looks import Look
    from assay.model.moments import Moments
    from assay.store.experiments import PlanRecord
    from assay.store.pages import Reading

DELAY = timedelta(hours=1)
"""For what was recorded shortly before the cutoff."""
_DAY = timedelta(days=1)


def last_cutoff(now: datetime) -> datetime:
    """The newest cutoff whose look is due."""
    return sight.midnight(now - DELAY)


async def look(cursor: Reading, *, project: int, experiment: str, now: datetime) -> int:
    """Take the looks at an experiment that are due, unless another process does; gives how many.

    Within one transaction, which keeps others from looking at the same time.

    Raises:
        AssayError: `plan_newer`: a look by less than the plan asks for would stay for good.
    """
    if not await looks.hold(cursor, project=project, experiment=experiment):
        return 0
    declared = await experiments.plans(cursor, project=project, experiment=experiment)
    epochs = await experiments.epochs(cursor, project=project, experiment=experiment)
    newest = _known(declared[-1], experiment)
    since = counted_since(newest)
    span = await experiments.span(
        cursor, project=project, experiment=experiment, since=begins(epochs, since)
    )
    if span is None:
        return 0
    first, last = span
    plan, times = newest.plan, sight.schedule(newest.plan, first)
    history: dict[Mode, dict[str, list[Look]]] = {mode: {} for mode in Mode}
    begun = times.start
    version = newest.version
    for one in await looks.all_of(cursor, project=project, experiment=experiment, version=version):
        history[one.mode].setdefault(one.variant, []).append(one.look)
        begun = max(begun, one.look.cutoff)
    # Once the last answers are in, nothing changes any more: but the end of the plan is looked at.
    quiet = sight.midnight(last + times.maturity) + 2 * _DAY
    until = min(last_cutoff(now), max(quiet, times.end or quiet))
    taken = 0
    cutoff = begun + _DAY
    while cutoff <= until:
        in_force = [epoch for epoch in epochs if epoch.opened_at < cutoff]
        found = await moments(
            cursor,
            Counting(
                project=project,
                experiment=experiment,
                cutoff=cutoff,
                maturity=times.maturity,
                since=since,
                sticky=is_sticky(in_force),
            ),
            metrics=metrics(plan),
            left_out=False,
        )
        made = _looks(plan, times, found, in_force, cutoff, history)
        await looks.add(
            cursor, made, project=project, experiment=experiment, version=version, now=now
        )
        taken += len(made)
        cutoff += _DAY
    return taken


def _known(plan: PlanRecord, experiment: str) -> PlanRecord:
    if plan.beyond:
        raise AssayError(
            f"the plan of experiment {experiment!r} says {' and '.join(map(repr, plan.beyond))},"
            " which this version of Assay does not know",
            code="plan_newer",
            hint="workers of the newer release look at it; let those be the only ones",
        )
    return plan


def counted_since(plan: PlanRecord) -> datetime:
    """From when on units count for a plan: what was seen before it was made can't decide."""
    return plan.declared_at


def begins(epochs: Sequence[Epoch], since: datetime) -> datetime:
    """From when on a plan's time runs: it waits for chance to choose, where it did not at first."""
    chosen = next((epoch.opened_at for epoch in epochs if epoch.is_randomised), since)
    return max(since, chosen)


def metrics(plan: Plan) -> list[str]:
    """What a plan speaks of, the primary first."""
    return list(dict.fromkeys([plan.primary, *plan.guardrails]))


def is_sticky(epochs: Sequence[Epoch]) -> bool:
    """Whether units keep their variants, so that all their runs count."""
    return bool(epochs) and all(epoch.sticky for epoch in epochs)


def _looks(
    plan: Plan,
    times: sight.Schedule,
    found: dict[str, Moments],
    epochs: Sequence[Epoch],
    cutoff: datetime,
    history: dict[Mode, dict[str, list[Look]]],
) -> list[tuple[Mode, str, Look]]:
    seen = sight.seen(plan, times, found, epochs, cutoff)
    made: list[tuple[Mode, str, Look]] = []
    for mode in Mode:
        if mode is Mode.PLANNED and (times.end is None or cutoff > times.end):
            continue
        g = sight.tuning(plan, len(seen) + 1, plan.alpha)
        rules = sight.rules(plan)
        for variant, one in next_looks(history[mode], seen, rules, mode=mode, g=g).items():
            history[mode].setdefault(variant, []).append(one)
            made.append((mode, variant, one))
    return made
