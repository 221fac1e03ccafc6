"""Turns: claiming them and committing what their runs did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from assay.store import arrays
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.store.pool import AsyncConn

Row = dict[str, Any]
_SQL = queries("turns")


class ClaimedTurn(NamedTuple):
    """A claimed turn with all that replaying it needs; the last five are decoded JSON.

    Attributes:
        event_data: JSON text.
        started_at, event_ts: seconds since 1970.
    """

    run_id: UUID
    fn: str
    generation: int
    wakes: int
    losses: int
    started_at: float
    cancelled: bool
    trace: UUID
    parent_run: UUID | None
    parent_step: UUID | None
    parent_defer: str | None
    event_id: UUID
    event_name: str
    event_data: str
    event_ts: float
    force: dict[str, str] | None
    sessions: dict[str, str] | None
    journal: list[list[Any]] | None
    attempts: list[list[Any]] | None
    waits: list[list[Any]] | None
    defers: list[Row] | None
    parent: Row | None


class Written(NamedTuple):
    """What a flush tells of a run that it wrote; what it does not tell of is `UNTOUCHED`.

    Attributes:
        wakes: how often it was woken.
        cancelled: whether it is to be cancelled.
        collected: what moved into its journal.
    """

    wakes: int
    cancelled: bool
    collected: list[list[Any]]


UNTOUCHED = Written(0, cancelled=False, collected=[])


@dataclass(slots=True)
class Flush:
    """The rows of one commit, by kind; `assay.commit` names the columns."""

    turns: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    waits: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    defers: list[Row] = field(default_factory=list)
    outcomes: list[Row] = field(default_factory=list)
    exposures: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    finish: list[Row] = field(default_factory=list)
    park: list[Row] = field(default_factory=list)
    collect: list[Row] = field(default_factory=list)


async def claim(
    connection: AsyncConn,
    *,
    project: int,
    app: str,
    fns: Sequence[str],
    worker: UUID,
    now: float,
    limit: int,
    run: UUID | None = None,
) -> list[ClaimedTurn]:
    """Claim up to `limit` due turns of the functions, or that of one run whether due or not."""
    cursor = await connection.execute(
        _SQL["claim"],
        {
            "project": project,
            "app": app,
            "fns": arrays.array(fns, arrays.text),
            "worker": worker,
            "now": now,
            "limit": limit,
            "run": run,
        },
        prepare=True,
    )
    return [ClaimedTurn._make(row) for row in await cursor.fetchall()]


async def live(
    connection: AsyncConn, *, project: int, runs: Sequence[UUID]
) -> list[tuple[UUID, int, int, bool]]:
    """Run, generation, wakes and sign of cancellation of claimed turns."""
    cursor = await connection.execute(
        _SQL["live"], {"project": project, "runs": list(runs)}, prepare=True
    )
    return [(row[0], row[1], row[2], row[3]) for row in await cursor.fetchall()]


async def take_over(
    connection: AsyncConn, *, project: int, workers: Sequence[UUID], now: datetime
) -> list[UUID]:
    """Free the turns that lost workers hold, fencing those workers."""
    cursor = await connection.execute(
        _SQL["take_over"], {"project": project, "workers": list(workers), "now": now}
    )
    return [row[0] for row in await cursor.fetchall()]


async def cancel(
    connection: AsyncConn, *, project: int, run: UUID, now: datetime
) -> tuple[int, UUID | None, str] | None:
    """Sign a live run for cancellation; its state, worker and app, or None when it is over."""
    cursor = await connection.execute(_SQL["cancel"], {"project": project, "run": run, "now": now})
    row = await cursor.fetchone()
    return (row[0], row[1], row[2]) if row else None


async def next_due(
    connection: AsyncConn, *, project: int, app: str, fns: Sequence[str], horizon: datetime
) -> datetime | None:
    """When the next turn before the horizon is due."""
    cursor = await connection.execute(
        _SQL["next_due"], {"project": project, "app": app, "fns": list(fns), "horizon": horizon}
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def give_back(
    connection: AsyncConn, dropped: Sequence[tuple[UUID, int]], *, project: int, now: datetime
) -> None:
    """Free turns, as (run, generation), that their worker no longer works on."""
    await connection.execute(
        _SQL["give_back"],
        {
            "project": project,
            "now": now,
            "runs": [run for run, _ in dropped],
            "generations": [generation for _, generation in dropped],
        },
    )


async def held(connection: AsyncConn, *, project: int, worker: UUID) -> dict[UUID, int]:
    """The generations of the turns that a worker holds, by run."""
    cursor = await connection.execute(_SQL["held"], {"project": project, "worker": worker})
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def holders(connection: AsyncConn, *, project: int) -> set[UUID]:
    """The workers that hold turns."""
    cursor = await connection.execute(_SQL["holders"], {"project": project})
    return {row[0] for row in await cursor.fetchall()}
