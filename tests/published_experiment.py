"""The published experiment in the real tables, with its plan and its daily looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from assay.experiments import daily
from assay.model.experiments import Declarer, Direction, MetricKind, Plan
from assay.store import choices
from assay.store.pool import connect
from experiment_rows import PROJECT, instant, published, write

if TYPE_CHECKING:
    from datetime import datetime

CASE = published()
NAME = CASE["name"]
LAST = instant(CASE["last_look"])
BY = Declarer(app="support", version="1", worker="host:1", author="ada")


def plan(**changes: Any) -> Plan:
    """The case's plan."""
    given = CASE["plan"]
    begun = instant(CASE["epochs"][0]["from"])
    named: dict[str, Any] = {
        "primary": given["primary"],
        "kind": MetricKind.BOOLEAN,
        "control": given["control"],
        "direction": Direction.HIGHER,
        "alpha": given["alpha"],
        "days": (LAST - begun).days,
        "units": given["units"],
        "margin": given["margin"],
        "maturity_s": given["maturity_seconds"],
        "on_failure": given["on_failure"],
    }
    return Plan(**(named | changes))


def load(url: str, *plans: Plan, declared: datetime | None = None) -> None:
    """Write the case with these versions of its plan, all declared at one instant."""
    with psycopg.connect(url) as connection:
        write(connection, CASE, scores=None)
        connection.execute(
            "INSERT INTO assay.experiments (project_id, name, first_seen) VALUES (1, %s, now())",
            (NAME,),
        )

    async def declare() -> None:
        async with await connect(url) as connection:
            for one in plans:
                await choices.declare_plan(
                    connection,
                    one,
                    project=PROJECT,
                    experiment=NAME,
                    by=BY,
                    now=declared or instant(CASE["epochs"][0]["from"]),
                )

    asyncio.run(declare())


def with_durations(url: str, seconds: dict[str, float]) -> None:
    """Have the case's runs end after so many seconds, and up to one more."""
    with psycopg.connect(url) as connection:
        for variant, value in seconds.items():
            connection.execute(
                "INSERT INTO assay.experiment_scores SELECT project_id, experiment, 'run.duration',"
                " run_id, idx, run_id, variant, epoch, CASE WHEN NOT forced THEN unit END, at,"
                " %(value)s + ascii(run_id::text) %% 10 / 10.0, at + interval '1 minute',"
                " at + interval '1 minute' FROM assay.exposures WHERE variant = %(variant)s",
                {"variant": variant, "value": value},
            )


def take(url: str, now: datetime, *, times: int = 1) -> list[int]:
    """Take the looks that are due, by as many processes at once; gives what each took."""

    async def one() -> int:
        async with (
            await connect(url) as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return await daily.look(cursor, project=PROJECT, experiment=NAME, now=now)

    async def all_at_once() -> list[int]:
        return list(await asyncio.gather(*[one() for _ in range(times)]))

    return asyncio.run(all_at_once())
