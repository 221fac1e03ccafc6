"""Reading the results of an experiment. It is no look: nothing is tested, nothing written.

Entry points: `results`, and `counting`: which runs are behind them.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.experiments import analysis, daily, sight
from assay.experiments.facts import Facts
from assay.model.moments import RUN_FAILURE, RUN_METRICS, Counting
from assay.model.results import Stopping
from assay.store import experiments, looks
from assay.store.moments import moments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.model.looks import Look
    from assay.model.results import Results
    from assay.store.experiments import ExperimentRecord, PlanRecord
    from assay.store.pages import Reading

MOST_METRICS = 10
"""Of the scores of an experiment without a plan: each costs a reading."""


async def results(
    cursor: Reading,
    *,
    project: int,
    experiment: str,
    now: datetime,
    cutoff: datetime | None = None,
    metric: str | None = None,
) -> Results:
    """What an experiment says of its plan's metrics.

    Without a plan, of the first ten scores by name and of what runs say of themselves.

    Args:
        cursor: of the project.
        project: that the experiment belongs to.
        experiment: its name.
        now: the present instant.
        cutoff: what came later does not count; rounded down to the hour. Now unless given.
        metric: only this one.

    Raises:
        AssayError: `experiment_not_found`, `metric_not_found`, `experiment_cutoff`.
    """
    at = hour(cutoff, now, field="cutoff")
    record = await found(cursor, project=project, experiment=experiment)
    told = now if cutoff is None else at
    facts = await _facts(cursor, record, project=project, cutoff=at, told=told)
    asked = _asked(facts, metric)
    since = _since(facts)
    # Dear to import, so that a process that starts does it while the database sums.
    sums, _ = await asyncio.gather(
        moments(
            cursor,
            _counting(facts, project),
            metrics=asked,
        ),
        asyncio.to_thread(import_module, "scipy.special"),
    )
    first = sums[asked[0]]
    facts = replace(
        facts,
        start=first.first_at
        if not facts.is_plan_late and all(epoch.is_randomised for epoch in facts.epochs[:1])
        else await _start(cursor, project, experiment, daily.begins(facts.epochs, since)),
        after_cutoff=first.after_cutoff,
    )
    odd = await _odd(cursor, asked, project=project, experiment=experiment, cutoff=at)
    return analysis.results(facts, sums, odd)


async def counting(
    cursor: Reading, record: ExperimentRecord, *, project: int, metric: str, cutoff: datetime
) -> Counting:
    """Which runs count in the results of a metric at a cutoff, a full hour.

    Raises:
        AssayError: `metric_not_found`.
    """
    facts = await _facts(cursor, record, project=project, cutoff=cutoff, told=cutoff)
    _known(facts, metric)
    return _counting(facts, project)


def hour(asked: datetime | None, now: datetime, *, field: str) -> datetime:
    """The cutoff that an instant stands for, now unless given: the hour that had begun.

    Raises:
        AssayError: `experiment_cutoff`: it is in the future.
    """
    if asked is not None and asked > now:
        raise AssayError(
            f"{field} is in the future ({asked.isoformat()})",
            code="experiment_cutoff",
            field=field,
            hint="what is not over yet can't be read: give an instant before now, or none",
        )
    return (asked or now).replace(minute=0, second=0, microsecond=0)


def _counting(facts: Facts, project: int) -> Counting:
    return Counting(
        project=project,
        experiment=facts.experiment,
        cutoff=facts.cutoff,
        maturity=facts.maturity,
        since=_since(facts),
        sticky=daily.is_sticky(facts.epochs),
    )


def _since(facts: Facts) -> datetime:
    return sight.ALWAYS if facts.plan is None else daily.counted_since(facts.plan)


async def _odd(
    cursor: Reading, metrics: Sequence[str], *, project: int, experiment: str, cutoff: datetime
) -> dict[str, analysis.Odd]:
    """The scores of each metric that do not count as they are."""
    beyond = await experiments.beyond(
        cursor, project=project, experiment=experiment, metrics=metrics, cutoff=cutoff
    )
    return {
        name: analysis.Odd(
            unserved=await experiments.unserved(
                cursor, project=project, experiment=experiment, metric=name
            ),
            beyond=beyond.get(name, 0),
        )
        for name in metrics
    }


async def found(cursor: Reading, *, project: int, experiment: str) -> ExperimentRecord:
    """The experiment of this name; `experiment_not_found` where there is none."""
    record = await experiments.one(cursor, project=project, experiment=experiment)
    if record is None:
        raise AssayError(
            f"there is no experiment {experiment!r}",
            code="experiment_not_found",
            field="experiment_id",
            hint="GET /api/v1/experiments lists them",
        )
    return record


async def _start(
    cursor: Reading, project: int, experiment: str, since: datetime
) -> datetime | None:
    span = await experiments.span(cursor, project=project, experiment=experiment, since=since)
    return None if span is None else span[0]


async def _facts(
    cursor: Reading,
    record: ExperimentRecord,
    *,
    project: int,
    cutoff: datetime,
    told: datetime,
) -> Facts:
    epochs = await experiments.epochs(cursor, project=project, experiment=record.name)
    plans = await experiments.plans(cursor, project=project, experiment=record.name)
    plan = _in_force(plans, cutoff)
    history: dict[str, list[Look]] = {}
    if plan is not None:
        for one in await looks.all_of(
            cursor, project=project, experiment=record.name, version=plan.version
        ):
            if one.mode is plan.plan.mode and one.look.cutoff <= cutoff:
                history.setdefault(one.variant, []).append(one.look)
    return Facts(
        experiment=record.name,
        cutoff=cutoff,
        epochs=[epoch for epoch in epochs if epoch.opened_at < cutoff],
        plan=plan,
        chosen=[epoch for epoch in epochs if epoch.opened_at <= told],
        plans=[one for one in plans if one.declared_at <= told] or plans[:1],
        declarations=[
            one
            for one in await experiments.declarations(
                cursor, project=project, experiment=record.name
            )
            if one.declared_at <= told
        ],
        looks=history,
        metrics=_ordered(
            await experiments.metrics(cursor, project=project, experiment=record.name)
        ),
        stopped=None
        if record.stopped_at is None
        else Stopping(
            at=record.stopped_at,
            decision=record.decision,
            reason=record.stop_reason,
            author=record.stopped_by,
        ),
    )


def _ordered(scored: Sequence[str]) -> list[str]:
    """Scores by name, then what runs say of themselves."""
    own = [name for name in RUN_METRICS if name == RUN_FAILURE or name in scored]
    return [*(name for name in scored if name not in own), *own]


def _in_force(declared: Sequence[PlanRecord], cutoff: datetime) -> PlanRecord | None:
    """The newest plan that was declared before a cutoff, else the first."""
    before = [plan for plan in declared if plan.declared_at <= cutoff] or declared[:1]
    return before[-1] if before else None


def _asked(facts: Facts, metric: str | None) -> list[str]:
    plan = facts.plan_spec
    planned = [] if plan is None else daily.metrics(plan)
    if metric is None:
        scores = [name for name in facts.metrics if name not in RUN_METRICS]
        own = [name for name in facts.metrics if name in RUN_METRICS]
        return planned or [*scores[:MOST_METRICS], *own]
    _known(facts, metric)
    # The plan's other metrics are its guardrails, without which nothing is said of the primary.
    return planned if plan is not None and metric == plan.primary else [metric]


def _known(facts: Facts, metric: str) -> None:
    plan = facts.plan_spec
    known = dict.fromkeys([*(daily.metrics(plan) if plan else ()), *facts.metrics])
    if metric not in known:
        raise AssayError(
            f"experiment {facts.experiment!r} has no scores {metric!r}",
            code="metric_not_found",
            field="metric",
            hint=f"it has {', '.join(map(repr, known))}",
        )
