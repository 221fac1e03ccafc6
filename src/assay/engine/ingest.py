"""Taking in events: written once with the runs that they start, then given to waits."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.engine.arrivals import Arrival, Arrivals
from assay.engine.catalog import Catalog
from assay.engine.stored import stored_data
from assay.store import events as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias
    from uuid import UUID

    from assay.clock import Clock
    from assay.ids import Ids
    from assay.model.events import NewEvent
    from assay.store.pool import AsyncConn, Link
    from assay.store.turns import Row

    WaitShape: TypeAlias = tuple[str, int, list[str]]

KEY_LIFE_S = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """Ids of the events, in order, and of the runs that they started.

    Attributes:
        duplicates: the events whose key another one had, with that one: they did nothing.
    """

    event_ids: tuple[UUID, ...]
    run_ids: tuple[UUID, ...]
    duplicates: Mapping[UUID, UUID]


@dataclass(frozen=True, slots=True)
class _Incoming:
    event: NewEvent
    data: str
    arrival: Arrival
    warnings: list[str]
    refused: list[str] = field(default_factory=list)

    def row(self) -> Row:
        event = self.event
        return {
            "id": event.id,
            "name": event.name,
            "data": self.data,
            "sessions": json.dumps(event.sessions) if event.sessions else None,
            "ts": event.ts.timestamp(),
            "key": event.key,
            "source_run": event.source_run,
            "warning": "; ".join([*self.warnings, *self.refused]) or None,
            "force": json.dumps(event.force) if event.force else None,
        }


class Ingest:
    """Takes in the events of one project over one connection, opened again when it breaks."""

    def __init__(self, link: Link, *, project: int, clock: Clock, ids: Ids) -> None:
        self._link = link
        self._project = project
        self._clock = clock
        self._ids = ids
        self._catalog = Catalog()
        self._arrivals = Arrivals(link, project=project, clock=clock)

    async def send(self, events: Sequence[NewEvent]) -> SendResult:
        """Write events that came from outside; an id sent again gives the same runs again."""
        if not events:
            return SendResult(event_ids=(), run_ids=(), duplicates={})
        event_ids = tuple(event.id for event in events)
        events = _once(events)
        while True:
            incoming = [_incoming(event) for event in events]
            runs = [run for one in incoming for run in self._runs(one)]
            connection = await self._link.get()
            # One right behind the other, yet each a transaction: what follows sees the commit.
            done, shapes = await asyncio.gather(
                store.ingest(
                    connection,
                    project=self._project,
                    now=self._clock.time(),
                    catalog=self._catalog.version,
                    keys=self._keys(events),
                    events=[one.row() for one in incoming],
                    runs=runs,
                ),
                self._follow(connection, events, runs),
            )
            if done.status == "ok":
                break
            await self._catalog.load(await self._link.get(), self._project)
        started = set(done.started)
        run_ids = [run["id"] for run in runs if run["event"] in started]
        arrivals = [one.arrival for one in incoming if one.event.id in started]
        if len(done.event_ids) < len(events):
            arrivals += await self._sent_before(incoming, new=set(done.event_ids))
        await self.give(arrivals, shapes)
        return SendResult(
            event_ids=event_ids, run_ids=(*run_ids, *done.known), duplicates=done.duplicates
        )

    async def _sent_before(self, incoming: Sequence[_Incoming], *, new: set[UUID]) -> list[Arrival]:
        """Events whose first sending may have failed before it looked for waits."""
        before = [one.arrival for one in incoming if one.event.id not in new]
        received = await store.received(
            await self._link.get(), project=self._project, events=[one.id for one in before]
        )
        return [one._replace(received_at=received[one.id]) for one in before if one.id in received]

    async def match(self, events: Sequence[NewEvent], *, traces: dict[UUID, UUID]) -> None:
        """Start and wake what events match that a run's flush has written.

        Args:
            events: with their `source_run`.
            traces: of the runs that sent them, by run.
        """
        if not events:
            return
        events = _once(events)
        while True:
            incoming = [_incoming(event) for event in events]
            runs = [run for one in incoming for run in self._runs(one, traces)]
            if await store.start_matched(
                await self._link.get(),
                project=self._project,
                now=self._clock.time(),
                catalog=self._catalog.version,
                keys=self._keys(events),
                events=[event.id for event in events],
                runs=runs,
            ):
                break
            await self._catalog.load(await self._link.get(), self._project)
        duplicates: set[UUID] = set()
        if any(event.key is not None for event in events):
            duplicates = await store.duplicates(
                await self._link.get(), project=self._project, events=[one.id for one in events]
            )
        refused = [(one.event.id, "; ".join(one.refused)) for one in incoming if one.refused]
        if refused:
            await store.warn(await self._link.get(), project=self._project, warnings=refused)
        shapes = await self._follow(await self._link.get(), events, runs)
        arrivals = [one.arrival for one in incoming if one.event.id not in duplicates]
        await self.give(arrivals, shapes)

    async def hint(self, apps: Iterable[str]) -> None:
        """Wake an idle worker of each of these apps, if there is one."""
        apps = sorted(apps)
        if apps:
            await store.hint(await self._link.get(), project=self._project, apps=apps)

    async def _follow(
        self, connection: AsyncConn, events: Sequence[NewEvent], runs: Sequence[Row]
    ) -> list[WaitShape]:
        return await store.follow(
            connection,
            project=self._project,
            names=sorted({event.name for event in events}),
            apps=sorted({run["app"] for run in runs}),
        )

    async def give(self, events: Sequence[Arrival], shapes: Sequence[WaitShape]) -> None:
        """Resolve what waits for events that were just committed."""
        woken = await self._arrivals.resolve(events, shapes) if shapes else []
        if woken:
            await store.hint_woken(await self._link.get(), project=self._project, runs=woken)

    def _keys(self, events: Sequence[NewEvent]) -> list[Row]:
        expires = self._clock.time() + KEY_LIFE_S
        first = {event.key: event.id for event in reversed(events) if event.key is not None}
        # In one order, lest two senders of the same keys wait for each other.
        return [{"key": key, "event": first[key], "expires": expires} for key in sorted(first)]

    def _runs(self, one: _Incoming, traces: dict[UUID, UUID] | None = None) -> list[Row]:
        event = one.event
        if not self._catalog.knows(event.name):
            return []
        now = self._clock.time()
        rows: list[Row] = []
        targets, refused = self._catalog.targets(one.arrival)
        one.refused.extend(refused)
        for target in targets:
            run = self._ids.new()
            rows.append(
                {
                    "id": run,
                    "app": target.app,
                    "fn": target.fn,
                    "kind": target.kind,
                    "version": target.version,
                    "event": event.id,
                    "parent_run": event.source_run,
                    "trace": (traces or {}).get(event.source_run, run) if event.source_run else run,
                    "sessions": json.dumps(event.sessions) if event.sessions else None,
                    "due": max(now, event.ts.timestamp()),
                }
            )
        return rows


def _once(events: Sequence[NewEvent]) -> list[NewEvent]:
    """The first event of each id, as the store keeps them: the others are the same event."""
    first: dict[UUID, NewEvent] = {}
    for event in events:
        first.setdefault(event.id, event)
    return list(first.values())


def _incoming(event: NewEvent) -> _Incoming:
    data, warning = stored_data(event.data)
    arrival = Arrival(event.id, event.name, data, event.ts, event.sessions or None)
    if warning is None:
        return _Incoming(event, event.data, arrival, [])
    return _Incoming(event, json.dumps(data), arrival, [warning])
