"""Group commit without a timer: while one flush is in flight, the next is built."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

import psycopg

from assay.store.flushes import TurnsLostError
from assay.store.turns import UNTOUCHED, Flush

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from uuid import UUID

    from assay.engine.writes import Writes
    from assay.store.turns import Row, Written

MAX_RUNS = 200
_log = logging.getLogger("assay.engine")


class Committing(Protocol):
    """A run as the committer sees it."""

    id: UUID

    def take(self) -> tuple[Writes, Row]:
        """What there is to write, with the turn's row; called when the flush is built."""
        ...

    def committed(self, writes: Writes, written: Written) -> None:
        """The writes are durable."""
        ...

    def fault(self, error: Exception) -> None:
        """Assay itself went wrong with this run: it ends, and no other one does."""
        ...

    def lose(self) -> None:
        """The turn is lost, or whether the writes took effect is unknown: end without a trace."""
        ...

    def refuse(self, error: psycopg.Error) -> None:
        """The database refuses these writes; nothing was written."""
        ...


class Committer:
    """Writes what runs have done, many runs a flush, one flush at a time.

    Args:
        commit: sends a flush; psycopg's errors say whether it was written.
        prepare: what must be done before a flush with these writes is sent.
        follow: what follows the commit of these writes.
        doubt: told of writes of which nobody can tell whether they were committed.
    """

    def __init__(
        self,
        commit: Callable[[Flush], Awaitable[Mapping[UUID, Written]]],
        *,
        prepare: Callable[[Sequence[Writes]], Awaitable[None]],
        follow: Callable[[Sequence[Writes]], None],
        doubt: Callable[[Sequence[Writes]], None],
    ) -> None:
        self._commit = commit
        self._prepare = prepare
        self._follow = follow
        self._doubt = doubt
        self._dirty: dict[UUID, Committing] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(self, run: Committing) -> None:
        """Have a run's writes taken by the next flush."""
        self._dirty[run.id] = run
        self._idle.clear()
        self._wake.set()

    def forget(self, run: Committing) -> None:
        """Drop what a run that is over still wanted to write."""
        if self._dirty.get(run.id) is run:
            del self._dirty[run.id]

    async def drained(self) -> None:
        """Wait until nothing is left to write."""
        await self._idle.wait()

    async def run(self) -> None:
        """Flush for ever."""
        while True:
            if not self._dirty:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            # What is ready in the loop right now joins this flush.
            await asyncio.sleep(0)
            await self._flush_next()

    async def _flush_next(self) -> None:
        runs = list(self._dirty.values())[:MAX_RUNS]
        for run in runs:
            del self._dirty[run.id]
        batch = [(run, *run.take()) for run in runs]
        try:
            await self._flush(batch)
        except Exception:  # noqa: BLE001 - what it may be is the point
            # Nothing that one of these runs holds may end the writing of all others.
            _log.exception("a flush of %d runs could not be made", len(batch))
            for one in batch:
                await self._flush_alone(one)

    async def _flush_alone(self, one: tuple[Committing, Writes, Row]) -> None:
        try:
            await self._flush([one])
        except Exception as error:  # noqa: BLE001 - what it may be is the point
            # Claimed again it would come to the same: it fails, and says of what.
            one[0].fault(error)

    async def _flush(self, batch: list[tuple[Committing, Writes, Row]]) -> None:
        flush = Flush()
        for _, writes, turn in batch:
            writes.add_to(flush, turn)
        try:
            await self._prepare([writes for _, writes, _ in batch])
            told = await self._commit(flush)
        except TurnsLostError as lost:
            await self._flush_alive(batch, lost.alive)
        except psycopg.Error as error:
            if not _is_unknown(error):
                await self._one_by_one(batch, error)
                return
            _log.warning("a flush of %d runs has an unknown result: %s", len(batch), error)
            self._doubt([writes for _, writes, _ in batch])
            for run, _, _ in batch:
                run.lose()
        else:
            self._deliver(batch, told)

    async def _flush_alive(
        self, batch: list[tuple[Committing, Writes, Row]], alive: set[UUID]
    ) -> None:
        """Drop the runs that have lost their turn, write the others."""
        kept = []
        for one in batch:
            if one[0].id in alive:
                kept.append(one)
            else:
                one[0].lose()
        if kept:
            await self._flush(kept)

    async def _one_by_one(
        self, batch: list[tuple[Committing, Writes, Row]], error: psycopg.Error
    ) -> None:
        if len(batch) == 1 and not _is_retriable(error):
            batch[0][0].refuse(error)
            return
        for one in batch:
            await self._flush([one])

    def _deliver(
        self, batch: list[tuple[Committing, Writes, Row]], told: Mapping[UUID, Written]
    ) -> None:
        for run, writes, _ in batch:
            try:
                run.committed(writes, told.get(run.id, UNTOUCHED))
            except Exception as error:  # noqa: BLE001 - what it may be is the point
                run.fault(error)
        self._follow([writes for _, writes, _ in batch])


def _is_unknown(error: psycopg.Error) -> bool:
    # XX000: on Citus, a commit that one of its nodes did not answer. 54: these very values are too
    # much for the server, and so they will be again.
    state = error.sqlstate or ""
    is_lost = isinstance(error, psycopg.OperationalError) or state == "XX000"
    return is_lost and not _is_retriable(error) and not state.startswith("54")


def _is_retriable(error: psycopg.Error) -> bool:
    # Deadlock and serialization failure: rolled back as a whole, the same again may succeed.
    return error.sqlstate in {"40P01", "40001"}
