"""Events: taking them in, the functions they may start, the waits they may resolve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from assay.store import arrays
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_SQL = queries("events")
_FIRST = UUID(int=0)
_WORKERS = queries("workers")
_EVENT: arrays.Columns = {
    "id": arrays.uuid,
    "name": arrays.field,
    "data": arrays.field,
    "sessions": arrays.field,
    "ts": arrays.number,
    "key": arrays.field,
    "source_run": arrays.uuid,
    "warning": arrays.field,
    "force": arrays.field,
}
RUN: arrays.Columns = {
    "id": arrays.uuid,
    "app": arrays.field,
    "fn": arrays.field,
    "kind": arrays.field,
    "version": arrays.field,
    "event": arrays.uuid,
    "parent_run": arrays.uuid,
    "parent_step": arrays.uuid,
    "parent_defer": arrays.field,
    "trace": arrays.uuid,
    "parent_span": arrays.number,
    "sessions": arrays.field,
    "due": arrays.number,
}
"""The columns of a queued run; `sessions` is JSON text."""
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str).encode


def in_sessions(runs: list[Row]) -> bool:
    """Whether any of these queued runs is in a session."""
    return any(run.get("sessions") for run in runs)


class Ingested(NamedTuple):
    """What an ingest gave.

    Attributes:
        status: `ok`, or `stale`: nothing was written, the catalog of functions has moved on.
        event_ids: the events that were new.
        started: those of them that started their runs (an idempotency key may forbid it).
        known: the runs that events sent before had started.
        duplicates: those whose key another event had, with that event.
    """

    status: str
    event_ids: list[UUID]
    started: list[UUID]
    known: list[UUID]
    duplicates: dict[UUID, UUID]


class OpenWait(NamedTuple):
    """A wait that an event may resolve, subject to its condition (JSON text)."""

    run_id: UUID
    step: UUID
    hash: int
    condition: str | None
    since: datetime


class RegisteredWait(NamedTuple):
    """An open wait with what is needed to look for its events."""

    run_id: UUID
    step: UUID
    event_name: str
    shape: int
    hash: int
    condition: str | None
    since: datetime


class StoredEvent(NamedTuple):
    """An event as it is stored; `data` is JSON text."""

    id: UUID
    name: str
    data: str
    ts: datetime
    sessions: dict[str, str] | None
    received_at: datetime


class UnmatchedEvent(NamedTuple):
    """An event sent by a run whose functions are still to be started."""

    id: UUID
    name: str
    data: str
    ts: datetime
    sessions: dict[str, str] | None
    key: str | None
    source_run: UUID | None
    received_at: datetime


async def ingest(
    connection: AsyncConn,
    *,
    project: int,
    now: float,
    catalog: int,
    keys: list[Row],
    events: list[Row],
    runs: list[Row],
) -> Ingested:
    """Write events and the runs that they start, each event once by its id."""
    cursor = await connection.execute(
        _SQL["ingest"],
        (
            project,
            now,
            catalog,
            _encode(keys) if keys else None,
            arrays.rows(events, _EVENT),
            arrays.rows(runs, RUN),
            in_sessions(runs),
        ),
        prepare=True,
    )
    row = await cursor.fetchone()
    assert row is not None
    duplicates = {UUID(event): UUID(first) for event, first in (row[4] or {}).items()}
    return Ingested(row[0], row[1], row[2] or [], row[3] or [], duplicates)


async def start_matched(
    connection: AsyncConn,
    *,
    project: int,
    now: float,
    catalog: int,
    keys: list[Row],
    events: Sequence[UUID],
    runs: list[Row],
) -> bool:
    """Start the runs of events that runs have sent; False where the catalog has moved on."""
    cursor = await connection.execute(
        _SQL["start_matched"],
        (
            project,
            now,
            catalog,
            _encode(keys) if keys else None,
            arrays.array(events, arrays.uuid),
            arrays.rows(runs, RUN),
            in_sessions(runs),
        ),
    )
    row = await cursor.fetchone()
    return row is not None and row[0] == "ok"


async def follow(
    connection: AsyncConn, *, project: int, names: Sequence[str], apps: Sequence[str]
) -> list[tuple[str, int, list[str]]]:
    """Follow the commit of events: hint to an idle worker of each app; gives the wait shapes."""
    cursor = await connection.execute(
        _SQL["follow"],
        (project, arrays.array(names, arrays.text), arrays.array(apps, arrays.text)),
        prepare=True,
    )
    row = await cursor.fetchone()
    assert row is not None
    return [(name, shape, paths) for name, shape, paths in row[0] or ()]


async def add_shape(
    connection: AsyncConn, *, project: int, name: str, shape: int, paths: Sequence[str]
) -> None:
    """Make a set of paths known as one that waits on this event use."""
    await connection.execute(
        _SQL["add_shape"],
        {"project": project, "name": name, "shape": shape, "paths": json.dumps(list(paths))},
    )


async def waiting(
    connection: AsyncConn,
    *,
    project: int,
    hashes: Sequence[int],
    after: tuple[UUID, UUID],
    limit: int,
) -> list[OpenWait]:
    """A page of open waits with one of these hashes, by (run, step) from `after` on."""
    cursor = await connection.execute(
        _SQL["waiting"],
        {
            "project": project,
            "hashes": list(hashes),
            "run": after[0],
            "step": after[1],
            "limit": limit,
        },
        prepare=True,
    )
    return [OpenWait._make(row) for row in await cursor.fetchall()]


async def resolve(
    connection: AsyncConn,
    pairs: Sequence[tuple[UUID, UUID, UUID, str]],
    *,
    project: int,
    now: float,
) -> list[UUID]:
    """Give events to waits, as (run, step, event, output), each run once; gives those that took."""
    runs, steps, events, outputs = zip(*sorted(pairs, key=lambda pair: pair[0].int), strict=True)
    cursor = await connection.execute(
        _SQL["resolve"],
        {
            "project": project,
            "now": now,
            "runs": arrays.array(runs, arrays.uuid),
            "steps": arrays.array(steps, arrays.uuid),
            "events": arrays.array(events, arrays.uuid),
            "outputs": arrays.array(outputs, arrays.text),
        },
        prepare=True,
    )
    row = await cursor.fetchone()
    return list(row[0]) if row else []


async def since(
    connection: AsyncConn,
    *,
    project: int,
    names: Sequence[str],
    since: datetime,
    limit: int,
    after: UUID = _FIRST,
) -> list[StoredEvent]:
    """Events of these names received since an instant, the oldest first.

    Args:
        connection: to the database.
        project: whose events.
        names: of the events.
        since: inclusive.
        limit: most events given.
        after: of those received just then, only the ones with a greater id.
    """
    cursor = await connection.execute(
        _SQL["since"],
        {
            "project": project,
            "names": list(names),
            "since": since,
            "after": after,
            "limit": limit,
        },
        prepare=True,
    )
    return [StoredEvent._make(row) for row in await cursor.fetchall()]


async def duplicates(connection: AsyncConn, *, project: int, events: Sequence[UUID]) -> set[UUID]:
    """Those of some events whose idempotency key another event had."""
    cursor = await connection.execute(
        _SQL["duplicates"], {"project": project, "events": list(events)}
    )
    return {row[0] for row in await cursor.fetchall()}


async def warn(
    connection: AsyncConn, *, project: int, warnings: Sequence[tuple[UUID, str]]
) -> None:
    """Tell on events, as (event, what is wrong), why they did less than they might have."""
    await connection.execute(
        _SQL["warn"],
        {
            "project": project,
            "events": [event for event, _ in warnings],
            "warnings": [warning for _, warning in warnings],
        },
    )


async def received(
    connection: AsyncConn, *, project: int, events: Sequence[UUID]
) -> dict[UUID, datetime]:
    """When events were received; without duplicates by their key."""
    cursor = await connection.execute(
        _SQL["received"], {"project": project, "events": list(events)}
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def unmatched(
    connection: AsyncConn, *, project: int, before: datetime, limit: int
) -> list[UnmatchedEvent]:
    """Events of runs that no process has matched yet."""
    cursor = await connection.execute(
        _SQL["unmatched"], {"project": project, "before": before, "limit": limit}
    )
    return [UnmatchedEvent._make(row) for row in await cursor.fetchall()]


async def functions(
    connection: AsyncConn, *, project: int
) -> tuple[int, list[tuple[str, str, str, str, list[dict[str, Any]]]]]:
    """The catalog's version, and (app, fn, kind, version, triggers) of each function."""
    # The version first: functions registered in between are then seen as a stale catalog.
    version = await connection.execute(_SQL["catalog"], {"project": project})
    rows = await connection.execute(_SQL["functions"], {"project": project})
    found = await version.fetchone()
    assert found is not None
    return found[0], [(r[0], r[1], r[2], r[3], r[4]) for r in await rows.fetchall()]


async def all_shapes(connection: AsyncConn, *, project: int) -> list[tuple[str, int, list[str]]]:
    """The shapes of all waits there were: (event name, shape, paths)."""
    cursor = await connection.execute(_SQL["all_shapes"], {"project": project})
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def registered_since(
    connection: AsyncConn, *, project: int, since: datetime
) -> list[RegisteredWait]:
    """Open waits for events that were registered since an instant."""
    cursor = await connection.execute(
        _SQL["registered_since"], {"project": project, "since": since}
    )
    return [RegisteredWait._make(row) for row in await cursor.fetchall()]


async def traces(connection: AsyncConn, *, project: int, runs: Sequence[UUID]) -> dict[UUID, UUID]:
    """The traces of runs."""
    cursor = await connection.execute(_SQL["traces"], {"project": project, "runs": list(runs)})
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def runs_exist(connection: AsyncConn, *, project: int, runs: Sequence[UUID]) -> set[UUID]:
    """Which of these runs there are."""
    cursor = await connection.execute(
        _SQL["runs_exist"], {"project": project, "runs": list(runs)}, prepare=True
    )
    return {row[0] for row in await cursor.fetchall()}


async def hint(connection: AsyncConn, *, project: int, apps: Sequence[str]) -> None:
    """Hint to an idle worker of each app that there may be work."""
    await connection.execute(_SQL["hint"], (project, list(apps)), prepare=True)


async def hint_woken(connection: AsyncConn, *, project: int, runs: Sequence[UUID]) -> None:
    """Hint to an idle worker of each app of which runs were woken."""
    await connection.execute(
        _SQL["hint_woken"], (project, arrays.array(runs, arrays.uuid)), prepare=True
    )


async def notify(connection: AsyncConn, worker: UUID) -> None:
    """Hint to an idle worker that there is work."""
    await connection.execute(_WORKERS["notify"], {"channel": channel(worker)}, prepare=True)


def channel(worker: UUID) -> str:
    """The channel that a worker listens on."""
    return f"assay_{worker.hex}"
