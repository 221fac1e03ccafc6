"""Choices of variants: the epoch that they fall in, and the variant that a unit keeps."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from assay.model.experiments import Declarer, Plan, Way
    from assay.store.pool import AsyncConn, FullConn

_SQL = queries("choices")


async def project_name(connection: AsyncConn, project: int) -> str:
    """The project's name, which the choice of a variant hangs on."""
    cursor = await connection.execute(_SQL["project"], {"project": project})
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])


async def open_epoch(
    connection: AsyncConn,
    way: Way,
    *,
    project: int,
    experiment: str,
    by: Declarer,
    now: datetime,
) -> int:
    """The number of the epoch in which variants are chosen in this way, opened if need be."""
    cursor = await connection.execute(
        _SQL["open_epoch"],
        {
            "project": project,
            "experiment": experiment,
            "fingerprint": way.fingerprint,
            "strategy": way.strategy,
            "variants": list(way.variants),
            "weights": None if way.weights is None else json.dumps(dict(way.weights)),
            "salt": way.salt,
            "unit_kind": way.unit_kind,
            "sticky": way.is_sticky,
            **asdict(by),
            "now": now,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def was_left(
    connection: AsyncConn, way: Way, *, project: int, experiment: str, epoch: int, since: datetime
) -> bool:
    """Whether variants were chosen in this way since an instant, before they were in another."""
    cursor = await connection.execute(
        _SQL["earlier"],
        {
            "project": project,
            "experiment": experiment,
            "fingerprint": way.fingerprint,
            "epoch": epoch,
            "since": since,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0]) > 0


async def assign(
    connection: AsyncConn,
    *,
    project: int,
    experiment: str,
    unit: str,
    variant: str,
    epoch: int,
    variants: Sequence[str],
    now: datetime,
) -> tuple[str, int]:
    """The variant that a unit keeps, and the epoch in which it was assigned that.

    They are those given, if it had none that there still is.
    """
    cursor = await connection.execute(
        _SQL["assign"],
        {
            "project": project,
            "experiment": experiment,
            "unit": unit,
            "variant": variant,
            "epoch": epoch,
            "variants": list(variants),
            "now": now,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0]), int(row[1])


async def weights(
    connection: AsyncConn, *, project: int, experiment: str, epoch: int
) -> dict[str, float]:
    """The weights of an epoch that has some."""
    values = {"project": project, "experiment": experiment, "epoch": epoch}
    cursor = await connection.execute(_SQL["weights"], values)
    row = await cursor.fetchone()
    assert row is not None
    return {str(name): float(weight) for name, weight in row[0].items()}


async def declare_plan(
    connection: FullConn,
    plan: Plan,
    *,
    project: int,
    experiment: str,
    by: Declarer,
    now: datetime,
    source: str = "",
) -> int:
    """Make a plan known; gives the version that is in force.

    *source* says which files the app's code is from: see `withdraw`.
    """
    cursor = await connection.execute(
        _SQL["declare_plan"],
        {
            "project": project,
            "experiment": experiment,
            **_compared(plan),
            **asdict(by),
            "source": source,
            "now": now,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def is_in_force(connection: FullConn, plan: Plan, *, project: int, experiment: str) -> bool:
    """Whether the newest version of the plan is this one."""
    values = {"project": project, "experiment": experiment, **_compared(plan)}
    row = await (await connection.execute(_SQL["is_in_force"], values)).fetchone()
    assert row is not None
    return bool(row[0])


def _compared(plan: Plan) -> dict[str, str]:
    """A plan, and what those stored by older code mean where they say nothing."""
    return {"spec": json.dumps(plan.spec), "defaults": json.dumps(plan.defaults())}


async def withdraw(
    connection: FullConn, *, project: int, app: str, source: str, declared: Collection[str]
) -> None:
    """An app whose code from these files declares plans of no other experiments, by now."""
    values = {"project": project, "app": app, "source": source, "declared": list(declared)}
    await connection.execute(_SQL["withdraw"], values)
