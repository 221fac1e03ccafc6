"""Counting hours of runs, scores, outcomes and exposures, each in a transaction of its own.

An hour is counted two hours after its end. What changes in it after an hour from a run's beginning
(a run that comes to its end or is served a variant, a score that is given or corrected, a promise
whose state changes) is marked by the transaction that changes it, and a marked hour is read from
its rows until it has been counted again: marks are removed first and rows read then, so that a
change whose mark is removed is always seen. Whoever dies half-way leaves the hour as it was.

A process that is stopped for an hour between reading its clock and sending what it writes may write
without a mark; `restart` counts everything again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at, minted_at
from assay.store.pages import compose
from assay.store.queries import queries
from assay.store.rollups import hour_of, start_of

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.pool import FullConn

_SQL = queries("rollups")
KINDS = ("runs", "durations", "scores", "outcomes", "sessions", "exposures")
HOURS = 24
"""So many in one transaction."""
REST = timedelta(hours=2)
"""For so long after its end an hour is not counted."""


async def roll(connection: FullConn, *, project: int, now: datetime, most: int) -> int:
    """Count hours that are due, some at most; gives how many, 0 where another process counts."""
    await connection.execute(_SQL["begin"], {"project": project})
    async with connection.transaction():
        values = {"project": project, "limit": most}
        state = await (await connection.execute(_SQL["state"], values)).fetchone()
        if state is None:
            return 0
        next_hour = int(state[0])
        marked = await connection.execute(_SQL["marked"], values | {"next_hour": next_hour})
        hours = [int(row[0]) for row in await marked.fetchall()]
        end = hour_of(now - REST)
        while len(hours) < most and next_hour < end:
            # Hours without runs are counted by passing over them.
            first = await connection.execute(
                _SQL["first_run"], values | {"first": floor_at(start_of(next_hour))}
            )
            found = await first.fetchone()
            hour = end if found is None else min(end, hour_of(minted_at(found[0])))
            if hour < end:
                hours.append(hour)
            next_hour = min(hour + 1, end)
        for hour in hours:
            await _count(connection, project, hour)
        for day in sorted({hour - hour % 24 for hour in hours}):
            for name in ("forget_day", "into_day"):
                await connection.execute(_SQL[name], values | {"day": day})
        await connection.execute(_SQL["advance"], values | {"next_hour": next_hour})
    return len(hours)


async def roll_all(connection: FullConn, *, project: int, now: datetime) -> int:
    """Count all hours that are due; gives how many."""
    counted = 0
    while hours := await roll(connection, project=project, now=now, most=HOURS):
        counted += hours
    return counted


async def restart(connection: FullConn, *, project: int) -> None:
    """Forget what was counted; until it is counted again everything is read from the rows."""
    values = {"project": project}
    await connection.execute(_SQL["begin"], values)
    async with connection.transaction():
        for name in ("restart", *(f"restart_{kind}" for kind in KINDS)):
            await connection.execute(_SQL[name], values)


async def _count(connection: FullConn, project: int, hour: int) -> None:
    values = {
        "project": project,
        "hour": hour,
        "first": floor_at(start_of(hour)),
        "next": floor_at(start_of(hour + 1)),
    }
    for name in ("unmark", *(f"forget_{kind}" for kind in KINDS)):
        await connection.execute(_SQL[name], values)
    for kind in KINDS:
        query = compose((_SQL[f"into_{kind}"], _SQL["one_hour"], _SQL[f"counted_{kind}"]))
        await connection.execute(query, values)
