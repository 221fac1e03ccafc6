"""A worker, or one who sends an event, in a process of its own that a test stops or kills.

-m crash.process worker URL         works until it is ended
-m crash.process deadly URL         dies of -9 where it would look for the events of a new wait
-m crash.process hurried URL SINCE  works by a clock that goes faster since an instant
-m crash.process send URL NAME DATA takes an event in as the API does, and dies of -9 between its
                                    commit and the look for waits
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import httpx2
from typing_extensions import override

from assay.access.services import Writer
from assay.api.app import create_app
from assay.clock import DatabaseClock
from assay.engine.ingest import Ingest
from assay.engine.options import WorkerOptions
from assay.engine.worker import Worker
from assay.ids import Ids
from crash.application import LEASE_S, client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.engine.arrivals import Arrival
    from assay.engine.ingest import WaitShape
    from assay.engine.writes import Writes

PROJECT = 1
HEARTBEAT_S = LEASE_S / 4
SPEED = 30


class HurriedClock(DatabaseClock):
    """Goes faster from an instant on, so that pauses between attempts are short."""

    def __init__(self, since: float) -> None:
        super().__init__()
        self._since = since

    @override
    def time(self) -> float:
        return self._since + (super().time() - self._since) * SPEED


def follow_and_die(batch: Sequence[Writes]) -> None:
    """Die where there is something to look for."""
    if any(writes.looks for writes in batch):
        os.kill(os.getpid(), signal.SIGKILL)


class DeadlyIngest(Ingest):
    """Dies where it would look for waits."""

    @override
    async def give(self, events: Sequence[Arrival], shapes: Sequence[WaitShape]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def work(url: str, clock: DatabaseClock, *, dies: bool = False) -> None:
    """Work until the process ends."""
    worker = Worker(
        url,
        client.functions,
        app=client.app_id,
        project=PROJECT,
        clock=clock,
        ids=Ids(clock),
        chance=lambda: 0.0,
        options=WorkerOptions(lease_s=LEASE_S, heartbeat_s=HEARTBEAT_S, concurrency=500),
        learns=clock,
    )
    if dies:
        worker.committer._follow = follow_and_die
    await worker.start()
    print("ready", flush=True)  # noqa: T201
    await asyncio.Event().wait()


class DeadlyWriter(Writer):
    """A writer whose taking in of events is deadly."""

    @override
    def ingest(self, project: int) -> Ingest:
        clock = DatabaseClock()
        return DeadlyIngest(self.link, project=project, clock=clock, ids=Ids(clock))


async def send(url: str, name: str, data: str) -> None:
    """Take in one event over HTTP and die."""
    app = create_app(database_url=url, dev=True, lease_s=LEASE_S)
    clock = DatabaseClock()
    app.state.services._idle.append(DeadlyWriter(url, clock=clock, ids=Ids(clock)))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        await http.post(
            "/api/v1/events", json={"events": [{"name": name, "data": json.loads(data)}]}
        )


def main() -> None:
    """Do what the arguments say."""
    match sys.argv[1:]:
        case ["worker", url]:
            asyncio.run(work(url, DatabaseClock()))
        case ["deadly", url]:
            asyncio.run(work(url, DatabaseClock(), dies=True))
        case ["hurried", url, since]:
            asyncio.run(work(url, HurriedClock(float(since))))
        case ["send", url, name, data]:
            asyncio.run(send(url, name, data))


if __name__ == "__main__":
    main()
