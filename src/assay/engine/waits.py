"""Waits: what a sleep, a wait for an event and an invocation write, what a new wait looks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from assay.engine.arrivals import Arrival, Arrivals, Pair
from assay.engine.conditions import Condition, split
from assay.engine.matching import hash_event, shape_id, shape_of, value_hash
from assay.store import events as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.model.events import Json
    from assay.sdk.port import EventWait
    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

NEVER = 253402300799.0
"""Seconds since 1970 that stand for no timeout: the last of the year 9999."""
PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """A wait that was just committed, for which earlier events are to be looked at.

    Attributes:
        since: seconds since 1970: events received from then on count.
    """

    run: UUID
    step: UUID
    event_name: str
    paths: tuple[str, ...]
    hash: int
    condition: str | None
    since: float


def event_wait(
    request: EventWait, event: Mapping[str, Json], *, run: UUID, step: UUID, since: float
) -> tuple[Row, Looking, tuple[str, int, tuple[str, ...]]]:
    """The columns of a wait for an event, what it looks for, and its shape.

    Raises:
        AssayError: `bad_condition` or `bad_match`, non-retriable.
    """
    match = dict(request.match)
    rest = None
    if request.condition is not None:
        Condition.compile(request.condition)
        parts = split(request.condition, event)
        for path, value in parts.match.items():
            if path in match and match[path] != value:
                rest = request.condition
            else:
                match[path] = value
        rest = rest or parts.rest
    paths = shape_of(match)
    shape = shape_id(paths)
    hashed = value_hash(request.event, paths, [match[path] for path in paths])
    condition = None
    if rest is not None or request.schema is not None:
        condition = json.dumps(
            {
                "rest": rest,
                "event": event if rest is not None and "event" in rest else None,
                "schema": request.schema,
            }
        )
    row: Row = {
        "event_name": request.event,
        "shape": shape,
        "hash": hashed,
        "condition": condition,
        "since": since,
    }
    looking = Looking(
        run=run,
        step=step,
        event_name=request.event,
        paths=paths,
        hash=hashed,
        condition=condition,
        since=since,
    )
    return row, looking, (request.event, shape, paths)


async def look(
    connection: AsyncConn, arrivals: Arrivals, waits: Sequence[Looking], *, project: int
) -> list[UUID]:
    """Give waits that were just committed the events that came while they were registered.

    Gives the runs that were woken.
    """
    if not waits:
        return []
    names = sorted({wait.event_name for wait in waits})
    since = datetime.fromtimestamp(min(wait.since for wait in waits), UTC)
    index: dict[tuple[str, tuple[str, ...]], dict[int, list[Looking]]] = {}
    for wait in waits:
        index.setdefault((wait.event_name, wait.paths), {}).setdefault(wait.hash, []).append(wait)
    after = UUID(int=0)
    woken: list[UUID] = []
    while True:
        events = await store.since(
            connection, project=project, names=names, since=since, after=after, limit=PAGE
        )
        woken += await arrivals.give([pair for event in events for pair in _pairs(event, index)])
        if len(events) < PAGE:
            return woken
        since, after = events[-1].received_at, events[-1].id


def _pairs(
    event: store.StoredEvent, index: Mapping[tuple[str, tuple[str, ...]], dict[int, list[Looking]]]
) -> list[Pair]:
    arrival = Arrival(event.id, event.name, json.loads(event.data), event.ts, event.sessions)
    received = event.received_at.timestamp()
    return [
        Pair(
            store.OpenWait(wait.run, wait.step, wait.hash, wait.condition, event.received_at),
            arrival,
        )
        for (name, paths), by_hash in index.items()
        if name == event.name
        for wait in _of(by_hash, hash_event(name, arrival.data, paths))
        if received >= wait.since
    ]


def _of(by_hash: Mapping[int, list[Looking]], value: int | None) -> Sequence[Looking]:
    return () if value is None else by_hash.get(value, ())
