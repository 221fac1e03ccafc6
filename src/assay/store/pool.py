"""Connections: how workers and readers connect, and which kind of server answers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow, dict_row

from assay.store import direct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AsyncConn: TypeAlias = direct.AsyncConn
FullConn: TypeAlias = "AsyncConnection[TupleRow]"
Conn: TypeAlias = "Connection[TupleRow]"


class Server(StrEnum):
    """The kinds of server that the same SQL runs on."""

    PLAIN = "plain"
    CITUS = "citus"


_COMMON = "-c timezone=UTC -c citus.propagate_set_commands=local"
# A generic plan that was made on empty tables stays: only index plans are allowed to be made.
_HOT = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off -c jit=off"
)


async def connect(url: str) -> FullConn:
    """A connection for all that is not hot; autocommit."""
    return await AsyncConnection.connect(url, autocommit=True, options=_COMMON)


async def connect_hot(url: str, *, is_durable: bool = True) -> AsyncConn:
    """A worker's connection: plans are made once and reused (never for people's queries).

    Args:
        url: of the database.
        is_durable: whether a commit waits for the disk. What is lost without is lost in order, and
            any later durable commit makes it durable too.
    """
    connection = await AsyncConnection.connect(
        url,
        autocommit=True,
        options=f"{_COMMON} {_HOT}" + ("" if is_durable else " -c synchronous_commit=off"),
        prepare_threshold=0,
    )
    try:
        is_citus = await server_of(connection) is Server.CITUS
    except BaseException:
        await connection.close()
        raise
    if not is_citus:
        return direct.DirectConnection(connection)
    # A forced generic plan fails there: "could not create distributed plan".
    await connection.close()
    return await connect(url)


def connect_blocking(url: str) -> Conn:
    """A connection for a thread of its own (heartbeats)."""
    return Connection.connect(url, autocommit=True, options=_COMMON)


async def server_of(connection: FullConn) -> Server:
    """Which server this is; nothing else in the project asks."""
    cursor = await connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
    return Server.CITUS if await cursor.fetchone() else Server.PLAIN


class Link:
    """A connection that is opened when first asked for, and again once it has broken.

    Attributes:
        openings: how often it was opened.
    """

    def __init__(self, url: str, *, is_hot: bool = False, is_durable: bool = True) -> None:
        self._url = url
        self._is_hot = is_hot
        self._is_durable = is_durable
        self._connection: AsyncConn | None = None
        self._opening = asyncio.Lock()
        self.openings = 0

    async def get(self) -> AsyncConn:
        """The open connection.

        Raises:
            psycopg.OperationalError: the database does not answer.
        """
        connection = self._connection
        if connection is None or connection.closed:
            async with self._opening:
                connection = self._connection
                if connection is None or connection.closed:
                    connection = await (
                        connect_hot(self._url, is_durable=self._is_durable)
                        if self._is_hot
                        else connect(self._url)
                    )
                    self._connection = connection
                    self.openings += 1
        return connection

    async def close(self) -> None:
        """Close it, if it is open."""
        if self._connection is not None:
            await self._connection.close()


class ReadPool:
    """Connections for reading one project at a time, under row security.

    Every read enters the role `assay_api` and the project's scope for its transaction alone, so a
    query that forgets the project shows nothing rather than another project's rows.
    """

    def __init__(self, url: str, *, size: int = 4) -> None:
        self._url = url
        self._size = size
        self._idle: list[FullConn] = []

    @asynccontextmanager
    async def reading(
        self, project_id: int
    ) -> AsyncIterator[psycopg.AsyncCursor[dict[str, object]]]:
        """A cursor that gives rows as dicts, in a read-only transaction of the project."""
        connection = self._idle.pop() if self._idle else await connect(self._url)
        try:
            async with (
                connection.transaction(),
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                async with connection.pipeline():
                    await connection.execute("SET TRANSACTION READ ONLY")
                    await connection.execute("SET LOCAL ROLE assay_api")
                    await connection.execute("SELECT assay.scope(%s)", (project_id,))
                yield cursor
        finally:
            if connection.closed or connection.broken or len(self._idle) >= self._size:
                await connection.close()
            else:
                self._idle.append(connection)

    async def close(self) -> None:
        """Close what is idle, and what is being read with once that is done."""
        self._size = 0
        while self._idle:
            await self._idle.pop().close()
