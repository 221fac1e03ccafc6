"""A connection for hot paths, driven through libpq: each statement prepared, none waits for others.

It stays in pipeline mode, each statement with a Sync and so a transaction of its own: what is sent
while another is in flight is carried out after that one's commit. One permanent reader of the loop
takes the answers, at a third of what psycopg's own waiting costs.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from psycopg import AsyncConnection, ConnectionInfo
    from psycopg.rows import TupleRow

    Params: TypeAlias = Sequence[Any] | Mapping[str, Any] | None
    Key: TypeAlias = tuple[str, tuple[int, ...]]

_PLACE = re.compile(r"%(?:\((\w+)\))?s|%%")
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.PIPELINE_ABORTED)
# A prepared statement that is of no more use: what it gives has changed, or it is not there.
_OUTDATED = ("0A000", "26000")


class Rows(Protocol):
    """What a statement gave."""

    async def fetchone(self) -> TupleRow | None:
        """The next row."""
        ...

    async def fetchall(self) -> list[TupleRow]:
        """The rows that are left."""
        ...


class AsyncConn(Protocol):
    """A connection that carries out one statement at a time, each a transaction of its own."""

    @property
    def closed(self) -> bool:
        """Whether it is closed or has broken."""
        ...

    @property
    def info(self) -> ConnectionInfo:
        """What is known of it."""
        ...

    async def execute(
        self, query: str, params: Params = None, *, prepare: bool | None = None
    ) -> Rows:
        """Carry out a statement."""
        ...

    async def close(self) -> None:
        """Close it."""
        ...


class _Given:
    """The rows of a statement, all here."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[TupleRow]) -> None:
        self._rows = rows

    async def fetchone(self) -> TupleRow | None:
        return self._rows.pop(0) if self._rows else None

    async def fetchall(self) -> list[TupleRow]:
        rows, self._rows = self._rows, []
        return rows


class _Call:
    """A statement in flight."""

    __slots__ = ("future", "is_preparing", "key", "results")

    def __init__(self, future: asyncio.Future[Rows], key: Key) -> None:
        self.future = future
        self.key = key
        self.is_preparing = False
        self.results: list[pq.abc.PGresult] = []


@cache
def _numbered(query: str) -> tuple[bytes, tuple[str, ...] | None]:
    """A query with numbered places, and the name for each of them where they have names."""
    names: list[str] = []
    count = 0

    def place(found: re.Match[str]) -> str:
        nonlocal count
        name = found[1]
        if found[0] == "%%":
            return "%"
        if name in names:
            return f"${names.index(name) + 1}"
        count += 1
        if name is not None:
            names.append(name)
        return f"${count}"

    text = _PLACE.sub(place, query).encode()
    return text, tuple(names) or None


class DirectConnection:
    """Takes over an idle connection of psycopg's, in autocommit.

    A task that is cancelled while it waits leaves its statement to be carried out.

    Args:
        connection: whose other uses end here.
        notified: called with the payload of each notification.
    """

    def __init__(
        self,
        connection: AsyncConnection[TupleRow],
        *,
        notified: Callable[[str], None] | None = None,
    ) -> None:
        self._connection = connection
        self._notified = notified
        self._pg = connection.pgconn
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._adapt = Transformer(connection)
        self._prepared: dict[Key, bytes] = {}
        self._count = 0
        self._calls: deque[_Call] = deque()
        self._loop = asyncio.get_running_loop()
        self._socket = self._pg.socket
        self._is_writing = False
        self._is_closed = False
        self._ended = asyncio.Event()
        self._loop.add_reader(self._socket, self._read)

    @property
    def closed(self) -> bool:
        """Whether it is closed or has broken."""
        return self._is_closed

    @property
    def info(self) -> ConnectionInfo:
        """What is known of it."""
        return self._connection.info

    async def execute(
        self,
        query: str,
        params: Params = None,
        *,
        prepare: bool | None = None,  # noqa: ARG002 - as AsyncConn: here each is prepared
    ) -> Rows:
        """Carry out a statement after those sent before it.

        Raises:
            psycopg.OperationalError: connection lost; whether it was carried out is unknown.
            psycopg.Error: it was not.
        """
        if self._is_closed:
            message = "the connection is closed"
            raise psycopg.OperationalError(message)
        call = self._send(query, params)
        self._flush()
        return await call.future

    async def until_closed(self) -> None:
        """Wait until it is closed or has broken."""
        await self._ended.wait()

    async def close(self) -> None:
        """Close it; whoever still waits for an answer gets none."""
        self._break("the connection was closed")
        await self._connection.close()

    def _send(self, query: str, params: Params) -> _Call:
        text, names = _numbered(query)
        values: Any = params or ()
        if names is not None:
            values = [values[name] for name in names]
        adapt, pg = self._adapt, self._pg
        dumped = adapt.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = adapt.types or (), adapt.formats
        call = _Call(self._loop.create_future(), (query, types))
        name = self._prepared.get(call.key)
        try:
            if name is None:
                self._count += 1
                name = self._prepared[call.key] = b"s%d" % self._count
                call.is_preparing = True
                pg.send_prepare(name, text, types)
            pg.send_query_prepared(name, dumped, formats)
            pg.pipeline_sync()
        except psycopg.OperationalError as error:
            self._break(str(error))
            raise
        self._calls.append(call)
        return call

    def _flush(self) -> None:
        try:
            is_left = bool(self._pg.flush())
        except psycopg.OperationalError as error:
            self._break(str(error))
            return
        if is_left is not self._is_writing:
            self._is_writing = is_left
            if is_left:
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pg.consume_input()
            self._take_results()
            if self._notified is not None:
                while (heard := self._pg.notifies()) is not None:
                    self._notified(heard.extra.decode())
        except psycopg.OperationalError as error:
            # What came with the end, such as why it ended, is read before.
            self._take_results()
            self._break(str(error))
            return
        if self._pg.status == pq.ConnStatus.BAD:
            self._break("the server closed the connection")
        elif self._is_writing:
            self._flush()

    def _take_results(self) -> None:
        pg, calls = self._pg, self._calls
        is_between = False
        while calls and not pg.is_busy():
            result = pg.get_result()
            if result is None:
                # One stands between the results of two messages; a second means that none is left.
                if is_between:
                    return
                is_between = True
                continue
            is_between = False
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                self._answer(calls.popleft())
            else:
                calls[0].results.append(result)

    def _answer(self, call: _Call) -> None:
        failed = _failed(call)
        if failed is not None:
            refusal = error_from_result(failed)
            is_unprepared = call.is_preparing and failed is call.results[0]
            if is_unprepared or refusal.sqlstate in _OUTDATED:
                self._prepared.pop(call.key, None)
            if not call.future.done():
                call.future.set_exception(refusal)
        elif not call.future.done():
            try:
                call.future.set_result(_Given(self._rows(call.results[-1])))
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                call.future.set_exception(error)

    def _rows(self, result: pq.abc.PGresult) -> list[TupleRow]:
        if not result.ntuples:
            return []
        self._adapt.set_pgresult(result)
        return self._adapt.load_rows(0, result.ntuples, tuple)

    def _break(self, reason: str) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._ended.set()
        self._loop.remove_reader(self._socket)
        if self._is_writing:
            self._loop.remove_writer(self._socket)
        calls = list(self._calls)
        self._calls.clear()
        self._pg.finish()
        for call in calls:
            if not call.future.done():
                failed = _failed(call)
                call.future.set_exception(
                    psycopg.OperationalError(reason)
                    if failed is None
                    else error_from_result(failed)
                )


def _failed(call: _Call) -> pq.abc.PGresult | None:
    for one in call.results:
        if one.status in _FAILED:
            return one
    return None
