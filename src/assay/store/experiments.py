"""Reading experiments: what was declared, how variants were chosen, who was served what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assay.model.experiments import Declarer, Direction, Epoch, MetricKind, Mode, Plan, Strategy
from assay.model.moments import RUN_DURATION, RUN_TOKENS
from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from assay.store.pages import Reading
    from assay.store.pool import AsyncConn

_SQL = queries("experiments")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRecord:
    """An experiment with how variants are chosen now, and its plan.

    Attributes:
        epoch, strategy, variants: of the newest epoch; None before the first choice.
        is_by_run: whether runs were ever assigned by themselves, by chance.
    """

    name: str
    first_seen: datetime
    stopped_at: datetime | None
    stopped_by: str | None
    stop_reason: str | None
    decision: str | None
    epoch: int | None
    strategy: Strategy | None
    variants: tuple[str, ...]
    plan_version: int | None
    plan: Plan | None
    is_by_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """A version of a plan.

    Attributes:
        beyond: fields by which newer code asks for more than this code knows.
        by: who declared it; None where that was not kept yet.
    """

    version: int
    plan: Plan
    beyond: tuple[str, ...] = ()
    by: Declarer | None
    author: str | None
    declared_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an app declared last, in force or not."""

    plan: Plan
    by: Declarer
    declared_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRecord:
    """A unit, what it was first served, and what it is assigned for good where choices stick."""

    unit: str
    variant: str
    epoch: int
    first_at: datetime
    runs: int
    assigned: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFilter:
    """Which units to list: those that were first served this variant, in this epoch; None: any."""

    variant: str | None = None
    epoch: int | None = None


ANY_UNIT = UnitFilter()


async def page(
    cursor: Reading, *, project: int, limit: int, after: str | None = None
) -> Page[ExperimentRecord]:
    """A page of experiments by name."""
    values: dict[str, object] = {"project": project, "limit": limit + 1}
    parts = ["list"]
    if after is not None:
        parts.append("after")
        (values["after"],) = decode("experiments", after, (str,))
    rows = await fetch(cursor, compose(_SQL[part] for part in (*parts, "by_name")), values)
    return page_of(
        "experiments", [_experiment(row) for row in rows], limit, lambda one: (one.name,)
    )


async def one(cursor: Reading, *, project: int, experiment: str) -> ExperimentRecord | None:
    """An experiment, if there is one of this name."""
    rows = await fetch(
        cursor,
        compose(_SQL[part] for part in ("list", "one")),
        {"project": project, "experiment": experiment},
    )
    return _experiment(rows[0]) if rows else None


async def epochs(cursor: Reading, *, project: int, experiment: str) -> list[Epoch]:
    """How variants were chosen, the oldest first."""
    values = {"project": project, "experiment": experiment}
    return [
        Epoch(
            number=row["epoch"],
            strategy=Strategy(row["strategy"]),
            variants=tuple(row["variants"]),
            weights=row["weights"],
            salt=row["salt"],
            unit_kind=row["unit_kind"],
            sticky=row["sticky"],
            app=row["app"],
            version=row["version"],
            worker=row["worker"],
            author=row["author"],
            opened_at=row["opened_at"],
        )
        for row in await fetch(cursor, _SQL["epochs"], values)
    ]


async def plans(cursor: Reading, *, project: int, experiment: str) -> list[PlanRecord]:
    """All versions of the plan, the oldest first."""
    values = {"project": project, "experiment": experiment}
    return [
        PlanRecord(
            version=row["version"],
            plan=_plan(row["spec"]),
            beyond=tuple(name for name in row["spec"] if name not in Plan.__slots__),
            by=None if row["app"] is None else _declarer(row),
            author=row["author"],
            declared_at=row["declared_at"],
        )
        for row in await fetch(cursor, _SQL["plans"], values)
    ]


async def declarations(cursor: Reading, *, project: int, experiment: str) -> list[Declaration]:
    """The plan that each app declared last, by app."""
    values = {"project": project, "experiment": experiment}
    return [
        Declaration(plan=_plan(row["spec"]), by=_declarer(row), declared_at=row["declared_at"])
        for row in await fetch(cursor, _SQL["declarations"], values)
    ]


def _declarer(row: Mapping[str, Any]) -> Declarer:
    return Declarer(
        app=row["app"], version=row["app_version"], worker=row["worker"], author=row["author"]
    )


async def metrics(cursor: Reading, *, project: int, experiment: str) -> list[str]:
    """Names of the scores that count for the experiment, and of what its runs have without."""
    values = {"project": project, "experiment": experiment}
    names = [row["metric"] for row in await fetch(cursor, _SQL["metrics"], values)]
    if RUN_DURATION in names:
        (usage,) = await fetch(cursor, _SQL["has_usage"], values)
        names += [RUN_TOKENS] if usage["found"] else []
    return names


async def unserved(cursor: Reading, *, project: int, experiment: str, metric: str) -> int:
    """How many scores name an exposure that there is not."""
    values = {"project": project, "experiment": experiment, "metric": metric}
    (row,) = await fetch(cursor, _SQL["unserved"], values)
    return int(row["n"])


async def beyond(
    cursor: Reading, *, project: int, experiment: str, metrics: Sequence[str], cutoff: datetime
) -> dict[str, int]:
    """How many scores until a cutoff are beyond 1e140, and count as that, by metric."""
    values = {
        "project": project,
        "experiment": experiment,
        "metrics": list(metrics),
        "cutoff": cutoff,
    }
    return {row["metric"]: int(row["n"]) for row in await fetch(cursor, _SQL["beyond"], values)}


async def span(
    cursor: Reading, *, project: int, experiment: str, since: datetime
) -> tuple[datetime, datetime] | None:
    """The first and the last exposure since an instant."""
    values = {"project": project, "experiment": experiment, "since": since}
    (row,) = await fetch(cursor, _SQL["span"], values)
    return None if row["first"] is None else (row["first"], row["last"])


async def units(
    cursor: Reading,
    *,
    project: int,
    experiment: str,
    limit: int,
    filter_: UnitFilter = ANY_UNIT,
    before: datetime | None = None,
    after: str | None = None,
) -> Page[UnitRecord]:
    """A page of units by name that fit; what they were served from `before` on is left out."""
    values: dict[str, object] = {
        "project": project,
        "experiment": experiment,
        "limit": limit + 1,
        **asdict(filter_),
        "before": before,
        "after": "" if after is None else decode(list_of_units(experiment), after, (str,))[0],
    }
    rows = await fetch(cursor, compose((_SQL["units"], _SQL["by_unit"])), values)
    return page_of(
        list_of_units(experiment),
        [UnitRecord(**row) for row in rows],
        limit,
        lambda unit: (unit.unit,),
    )


async def units_named(
    cursor: Reading,
    names: Collection[str],
    *,
    project: int,
    experiment: str,
    before: datetime | None = None,
) -> list[UnitRecord]:
    """Those of some units that were served anything `before`, by name."""
    values: dict[str, object] = {
        "project": project,
        "experiment": experiment,
        "limit": len(names),
        **asdict(ANY_UNIT),
        "before": before,
        "after": "",
        "units": list(names),
    }
    parts = ("units", "among", "by_unit")
    rows = await fetch(cursor, compose(_SQL[part] for part in parts), values)
    return [UnitRecord(**row) for row in rows]


def list_of_units(experiment: str) -> str:
    """The list that its cursors are of: by the names of units, whichever are listed."""
    return f"units of {experiment}"


async def stop(
    connection: AsyncConn,
    *,
    project: int,
    experiment: str,
    author: str | None,
    reason: str,
    decision: str | None,
    now: datetime,
) -> bool:
    """Stop looking at an experiment; False where it was stopped before.

    The same again (instant and reason) is the same stop: a try of which the end was unknown.
    """
    cursor = await connection.execute(
        _SQL["stop"],
        {
            "project": project,
            "experiment": experiment,
            "author": author,
            "reason": reason,
            "decision": decision,
            "now": now,
        },
    )
    return await cursor.fetchone() is not None


def _experiment(row: Mapping[str, Any]) -> ExperimentRecord:
    spec, strategy = row["plan"], row["strategy"]
    return ExperimentRecord(
        name=row["name"],
        first_seen=row["first_seen"],
        stopped_at=row["stopped_at"],
        stopped_by=row["stopped_by"],
        stop_reason=row["stop_reason"],
        decision=row["decision"],
        epoch=row["epoch"],
        strategy=None if strategy is None else Strategy(strategy),
        variants=tuple(row["variants"] or ()),
        plan_version=row["plan_version"],
        plan=None if spec is None else _plan(spec),
        is_by_run=row["is_by_run"],
    )


def _plan(spec: Mapping[str, Any]) -> Plan:
    """A stored plan, without what newer code asks for beyond this (`PlanRecord.beyond`)."""
    known = {name: spec[name] for name in Plan.__slots__ if name in spec}
    return Plan(
        **{
            **known,
            "kind": MetricKind(spec["kind"]),
            "direction": Direction(spec["direction"]),
            "mode": Mode(spec["mode"]),
        }
    )
