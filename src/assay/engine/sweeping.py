"""Standing in for processes that died: their turns, and what they had committed but not matched."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.engine.arrivals import Arrival
from assay.engine.waits import Looking, look
from assay.ids import to_text
from assay.model.events import NewEvent
from assay.store import events, turns, workers

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

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


class Sweeper:
    """Looks for what lost processes left behind, in one project."""

    def __init__(
        self, ingest: Ingest, arrivals: Arrivals, *, project: int, clock: Clock, lease_s: float
    ) -> None:
        self._ingest = ingest
        self._arrivals = arrivals
        self._project = project
        self._clock = clock
        self._lease_s = lease_s
        self._seen: set[UUID] = set()

    async def sweep(self, connection: AsyncConn) -> bool:
        """Take over turns and match what was left; whether there may be work now."""
        lost = await workers.mark_lost(connection, project=self._project)
        taken: list[UUID] = []
        if lost:
            taken = await turns.take_over(
                connection,
                project=self._project,
                workers=[worker.id for worker in lost],
                now=self._clock.now(),
            )
        fresh = [worker for worker in lost if worker.id not in self._seen]
        if taken:
            _log.warning(
                "took over %d runs of lost workers (%s)",
                len(taken),
                ", ".join(to_text(worker.id) for worker in fresh) or "seen before",
            )
        if fresh:
            await self._match_again(connection, fresh)
            self._seen |= {worker.id for worker in fresh}
        # Those that live match their own, and are given the time for it.
        patience = timedelta(0) if fresh else timedelta(seconds=UNMATCHED_S)
        unmatched = await self._match_unmatched(connection, before=self._clock.now() - patience)
        return bool(unmatched or taken or fresh)

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
        since = min(worker.lease_until for worker in lost)
        since -= timedelta(seconds=self._lease_s) + BEFORE
        shapes = await events.all_shapes(connection, project=self._project)
        names = sorted({name for name, _, _ in shapes})
        paths = {(name, shape): tuple(found) for name, shape, found in shapes}
        arrived = await events.since(
            connection, project=self._project, names=names, since=since, limit=100_000
        )
        await self._arrivals.resolve(
            [
                Arrival(e.id, e.name, json.loads(e.data), e.ts, e.sessions, e.received_at)
                for e in arrived
            ],
            shapes,
        )
        waits = await events.registered_since(connection, project=self._project, since=since)
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
