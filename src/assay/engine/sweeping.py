"""Standing in for processes that died: their turns, and what they had committed but not matched."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from assay.engine.arrivals import Arrival
from assay.engine.waits import Looking, look
from assay.ids import to_text
from assay.model.events import NewEvent
from assay.store import events, turns, workers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from assay.clock import Clock
    from assay.engine.arrivals import Arrivals
    from assay.engine.ingest import Ingest
    from assay.store.pool import AsyncConn
    from assay.store.workers import LostWorker

_log = logging.getLogger("assay.engine")
UNMATCHED_S = 2.0
BEFORE = timedelta(seconds=60)
"""How long before the end of its lease a lost process may have committed something unmatched."""
PAGE = 1_000
FIRST = UUID(int=0)


class Sweeper:
    """Looks for what lost processes left behind, in one project.

    Args:
        on_forgotten: called when lost workers have been forgotten.
    """

    def __init__(
        self,
        ingest: Ingest,
        arrivals: Arrivals,
        *,
        project: int,
        clock: Clock,
        lease_s: float,
        on_forgotten: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._ingest = ingest
        self._arrivals = arrivals
        self._project = project
        self._clock = clock
        self._lease_s = lease_s
        self._on_forgotten = on_forgotten

    async def sweep(self, connection: AsyncConn) -> bool:
        """Take over turns and match what was left; whether there may be work now."""
        # Asked for first: whoever holds a turn was registered before it claimed.
        holders = await turns.holders(connection, project=self._project)
        lost = await workers.mark_lost(connection, project=self._project)
        gone = {worker.id for worker in lost} | holders
        gone -= await workers.alive(connection, project=self._project)
        taken: list[UUID] = []
        if gone:
            taken = await turns.take_over(
                connection, project=self._project, workers=list(gone), now=self._clock.now()
            )
        if taken:
            _log.warning(
                "took over %d runs of lost workers (%s)",
                len(taken),
                ", ".join(to_text(worker) for worker in sorted(gone)),
            )
        if lost:
            await self._match_again(connection, lost)
        # Those that live match their own, and are given the time for it.
        patience = timedelta(0) if lost else timedelta(seconds=UNMATCHED_S)
        unmatched = await self._match_unmatched(connection, before=self._clock.now() - patience)
        if lost:
            # Only now, so that another worker does all this should this one die of it. What they
            # still claim, stopped half-way, is held by nobody known.
            await workers.forget(connection, [worker.id for worker in lost])
            if self._on_forgotten is not None:
                await self._on_forgotten()
        return bool(unmatched or taken or lost)

    async def _match_unmatched(self, connection: AsyncConn, *, before: datetime) -> bool:
        left = await events.unmatched(connection, project=self._project, before=before, limit=PAGE)
        await self._ingest.match(
            [
                NewEvent(
                    id=event.id,
                    name=event.name,
                    data=event.data,
                    ts=event.ts,
                    sessions=event.sessions or {},
                    key=event.key,
                    source_run=event.source_run,
                )
                for event in left
            ],
            traces=await events.traces(
                connection,
                project=self._project,
                runs=[event.source_run for event in left if event.source_run is not None],
            )
            if left
            else {},
        )
        return bool(left)

    async def _match_again(self, connection: AsyncConn, lost: list[LostWorker]) -> None:
        """Events without their look for waits, and waits without theirs for events."""
        begun = min(worker.lease_until for worker in lost)
        begun -= timedelta(seconds=self._lease_s) + BEFORE
        shapes = await events.all_shapes(connection, project=self._project)
        names = sorted({name for name, _, _ in shapes})
        paths = {(name, shape): tuple(found) for name, shape, found in shapes}
        since, after = begun, FIRST
        while True:
            arrived = await events.since(
                connection,
                project=self._project,
                names=names,
                since=since,
                after=after,
                limit=PAGE,
            )
            await self._arrivals.resolve(
                [
                    Arrival(e.id, e.name, json.loads(e.data), e.ts, e.sessions, e.received_at)
                    for e in arrived
                ],
                shapes,
            )
            if len(arrived) < PAGE:
                break
            since, after = arrived[-1].received_at, arrived[-1].id
        waits = await events.registered_since(connection, project=self._project, since=begun)
        await look(
            connection,
            self._arrivals,
            [
                Looking(
                    run=wait.run_id,
                    step=wait.step,
                    event_name=wait.event_name,
                    paths=paths[wait.event_name, wait.shape],
                    hash=wait.hash,
                    condition=wait.condition,
                    since=wait.since.timestamp(),
                )
                for wait in waits
                if (wait.event_name, wait.shape) in paths
            ],
            project=self._project,
        )
