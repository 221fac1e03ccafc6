"""What API and dashboard work with: reads under row security, writes as the owner, time, limits."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from assay.access.sharing import Shared
from assay.clock import DatabaseClock
from assay.engine.leases import Leases
from assay.errors import AssayError
from assay.ids import Ids
from assay.store.pool import Link, ReadPool
from assay.store.times import now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.clock import Clock
    from assay.engine.ingest import Ingest, SendResult
    from assay.model.events import NewEvent
    from assay.model.results import Results
    from assay.settings import Limits
    from assay.store.pages import Reading

T = TypeVar("T")

READERS = 8
WRITERS = 4
TRIES = 3
LEARN_EVERY_S = 30.0


def unavailable() -> AssayError:
    """The database can't be reached."""
    return AssayError(
        "the database can't be reached",
        code="database_unavailable",
        hint="try again; nothing sent with the same ids is ever taken twice",
        is_retriable=True,
    )


class Writer:
    """A link of the owner, with the taking in of events of the projects it was used for."""

    def __init__(self, url: str, *, clock: Clock, ids: Ids) -> None:
        self.link = Link(url, is_hot=True)
        self._clock = clock
        self._ids = ids
        self._ingests: dict[int, Ingest] = {}

    def ingest(self, project: int) -> Ingest:
        """Takes in events of a project."""
        from assay.engine.ingest import Ingest  # noqa: PLC0415 - commands that read need none

        if project not in self._ingests:
            self._ingests[project] = Ingest(
                self.link, project=project, clock=self._clock, ids=self._ids
            )
        return self._ingests[project]


class Services:
    """What routes and pages work with; one a served app.

    What is asked of the database is asked again over a new connection when one is lost: reads
    change nothing, and writes are known by ids that were minted before the first try.

    Attributes:
        results: of experiments, which take a reader for long: those who ask for the same share one.
    """

    def __init__(
        self, database_url: str, *, limits: Limits, clock: Clock, dev: bool, lease_s: float
    ) -> None:
        self._url = database_url
        self.limits = limits
        self.clock = clock
        self.ids = Ids(clock)
        self.dev = dev
        self.results: Shared[Results] = Shared()
        self._pool = ReadPool(database_url, size=READERS)
        self._readers = asyncio.Semaphore(READERS)
        self._writers = asyncio.Semaphore(WRITERS)
        self._idle: list[Writer] = []
        self._is_closed = False
        self._learn_at = 0.0
        self._leases = Leases(Link(database_url), ids=self.ids, lease_s=lease_s)

    async def read(self, project: int, ask: Callable[[Reading], Awaitable[T]]) -> T:
        """What `ask` reads of a project.

        Raises:
            AssayError: `database_unavailable`.
        """
        async with self._readers:
            for _ in range(READERS + 1):
                try:
                    async with self._pool.reading(project) as cursor:
                        return await ask(cursor)
                except psycopg.OperationalError:
                    continue
        raise unavailable()

    async def write(self, act: Callable[[Writer], Awaitable[T]]) -> T:
        """What `act` gives, which must be safe to do again where its first end is unknown.

        Raises:
            AssayError: `database_unavailable`.
        """
        async with self._writers:
            writer = (
                self._idle.pop()
                if self._idle
                else Writer(self._url, clock=self.clock, ids=self.ids)
            )
            try:
                for _ in range(TRIES):
                    try:
                        await self._learn_time(writer.link)
                        return await act(writer)
                    except psycopg.OperationalError:
                        continue
            finally:
                await self._give_back(writer)
        raise unavailable()

    async def send(self, project: int, events: Sequence[NewEvent]) -> SendResult:
        """Take in events of a project; `database_unavailable`."""

        async def act(writer: Writer) -> SendResult:
            async with self._leases.held(await writer.link.get(), project):
                return await writer.ingest(project).send(events)

        return await self.write(act)

    async def cancel(self, project: int, run: UUID) -> None:
        """Cancel a run, or tell the worker that holds it; `database_unavailable`."""
        from assay.engine.cancellation import cancel  # noqa: PLC0415 - commands that read need none

        async def act(writer: Writer) -> None:
            async with self._leases.held(await writer.link.get(), project) as process:
                await cancel(
                    writer.link,
                    run,
                    project=project,
                    process=process,
                    clock=self.clock,
                    ids=self.ids,
                )

        await self.write(act)

    async def close(self) -> None:
        """Leave in good order: what is still asked ends with its own connection."""
        self._is_closed = True
        await self._leases.close()
        await self._pool.close()
        while self._idle:
            await self._idle.pop().link.close()

    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now()

    async def _give_back(self, writer: Writer) -> None:
        # A cancelled request may leave its statement running: that connection is of no more use.
        with contextlib.suppress(psycopg.Error):
            connection = await writer.link.get()
            if connection.info.transaction_status != TransactionStatus.IDLE:
                await writer.link.close()
        if self._is_closed:
            await writer.link.close()
        else:
            self._idle.append(writer)

    async def _learn_time(self, link: Link) -> None:
        clock = self.clock
        if not isinstance(clock, DatabaseClock) or clock.local() < self._learn_at:
            return
        connection = await link.get()
        sent_at = clock.local()
        clock.learn(await now(connection), sent_at=sent_at, received_at=clock.local())
        self._learn_at = clock.local() + LEARN_EVERY_S
