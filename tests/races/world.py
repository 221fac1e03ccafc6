"""What a race has: connections that are paused, workers in this process, and looks at locks."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from assay.clock import DatabaseClock
from assay.engine.ingest import Ingest, SendResult
from assay.engine.options import WorkerOptions
from assay.engine.worker import Worker
from assay.ids import Ids
from assay.model.events import NewEvent
from assay.store import flushes, turns
from assay.store.pool import Link, connect
from locks import IS_CITUS, blocked_query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    import assay
    from assay.store.pool import AsyncConn, FullConn
    from assay.store.turns import ClaimedTurn, Flush, Written

PROJECT = 1
PATIENCE_S = 60.0
LEASE_S = 5.0


class OneConnection(Link):
    """A link that is this connection, in whatever transaction it may be."""

    def __init__(self, connection: AsyncConn) -> None:
        super().__init__("")
        self._given = connection

    @override
    async def get(self) -> AsyncConn:
        return self._given


class World:
    """A database with whom works on it; all is closed at the end."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url = url
        self.clock = DatabaseClock()
        self.ids = Ids(self.clock)
        self._stack = stack
        self._looking: AsyncConn | None = None

    @classmethod
    async def made(cls, url: str, stack: AsyncExitStack) -> Self:
        """A world with one connection to look with."""
        world = cls(url, stack)
        world._looking = await world.connect()
        return world

    async def connect(self) -> FullConn:
        """One more connection."""
        connection = await connect(self.url)
        self._stack.push_async_callback(connection.close)
        return connection

    async def worker(
        self, client: assay.Client, kind: type[Worker] = Worker, **options: Any
    ) -> Worker:
        """A worker that has begun to claim."""
        given = {"lease_s": LEASE_S, "heartbeat_s": 0.1, "idle_s": 0.05, "grace_s": 1.0} | options
        worker = kind(
            self.url,
            client.functions,
            app=client.app_id,
            project=PROJECT,
            clock=self.clock,
            ids=self.ids,
            chance=lambda: 0.0,
            options=WorkerOptions(**given),
        )
        await worker.start()
        self._stack.push_async_callback(worker.stop)
        return worker

    async def register(self, client: assay.Client) -> None:
        """Make functions known without working on them."""
        worker = await self.worker(client)
        await worker.stop()

    def event(
        self, name: str, data: dict[str, object] | None = None, *, key: str | None = None
    ) -> NewEvent:
        """An event that is to be sent."""
        return NewEvent(
            id=self.ids.new(),
            name=name,
            data=json.dumps(data or {}),
            ts=self.clock.now(),
            key=key,
        )

    async def send(self, *events: NewEvent, over: AsyncConn | None = None) -> SendResult:
        """Send events, over a connection of their own unless one is given."""
        link = OneConnection(over or await self.connect())
        return await Ingest(link, project=PROJECT, clock=self.clock, ids=self.ids).send(events)

    async def claim(
        self, worker: UUID, *, over: AsyncConn | None = None, app: str = "races", limit: int = 10
    ) -> list[ClaimedTurn]:
        """Claim what is due of the functions `f`."""
        return await turns.claim(
            over or self.looking,
            project=PROJECT,
            app=app,
            fns=["f"],
            worker=worker,
            now=self.clock.time(),
            limit=limit,
        )

    async def commit(
        self, flush: Flush, worker: UUID, *, over: AsyncConn | None = None
    ) -> dict[UUID, Written]:
        """Write a flush."""
        return await flushes.commit(
            over or self.looking, flush, project=PROJECT, worker=worker, now=self.clock.time()
        )

    @property
    def looking(self) -> AsyncConn:
        """The connection to look with."""
        assert self._looking is not None
        return self._looking

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return await (await self.looking.execute(query, values or None)).fetchall()

    async def value(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        return (await self.rows(query, *values))[0][0]

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.005)

    async def until_row(self, query: str, *values: object) -> None:
        """Wait until a query gives true."""
        await self.until(lambda: self.value(query, *values))

    async def until_blocked(self, words: str, *, count: int = 1) -> int:
        """Wait until statements with these words wait for locks; gives the backend of one."""

        async def is_so() -> bool:
            return len(await self.blocked(words)) >= count

        await self.until(is_so)
        return (await self.blocked(words))[0]

    async def blocked(self, words: str) -> list[int]:
        """The backends that wait for a lock in a statement with these words."""
        query = blocked_query(is_citus=await self.value(IS_CITUS))
        found = await (await self.looking.execute(query, {"words": f"%{words}%"})).fetchall()
        return sorted(row[0] for row in found)

    async def until_ended(self, *runs: UUID) -> list[tuple[str, str | None, str | None]]:
        """Wait until runs are over; gives status, output and error of each."""
        query = "SELECT count(*) = %s FROM assay.runs WHERE id = ANY (%s) AND status IS NOT NULL"
        await self.until_row(query, len(runs), list(runs))
        found = {
            row[0]: row[1:]
            for row in await self.rows("SELECT id, status, output, error FROM assay.runs")
        }
        return [found[run] for run in runs]


def raced(test: Callable[[World], Awaitable[None]]) -> Callable[[str], None]:
    """A test of an async race on a database of its own."""

    async def run(url: str) -> None:
        async with AsyncExitStack() as stack:
            await test(await World.made(url, stack))

    def wrapper(assay_database: str) -> None:
        asyncio.run(run(assay_database))

    wrapper.__name__ = test.__name__
    wrapper.__doc__ = test.__doc__
    wrapper.__module__ = test.__module__
    return wrapper
