"""The connections of a worker: for flushes, for claims, for looks, and one that listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import psycopg

from assay.store import events
from assay.store.direct import DirectConnection
from assay.store.pool import Link, connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from assay.store.pool import FullConn

_log = logging.getLogger("assay.engine")
_RETRY_S = 0.2


class Connections:
    """Opens the connections and opens them again when they break.

    Attributes:
        flushes: the writer's.
        claims: for claims, which need not be durable by themselves.
        looks: for what events resolve.
        sweeps: for standing in: what shares a pipeline shares its transaction.
        spans: for spans of user code.
    """

    def __init__(self, url: str, listen_url: str) -> None:
        self.flushes = Link(url, is_hot=True)
        self.claims = Link(url, is_hot=True, is_durable=False)
        self.looks = Link(url, is_hot=True)
        self.sweeps = Link(url, is_hot=True)
        self.spans = Link(url, is_durable=False)
        self._url = url
        self._listen_url = listen_url
        self._listening: asyncio.Task[None] | None = None
        self._failing: set[str] = set()

    def failed(self, what: str, error: psycopg.Error) -> None:
        """Warn of what failed: once until it works again, however often it is tried."""
        level = logging.DEBUG if what in self._failing else logging.WARNING
        self._failing.add(what)
        _log.log(level, "%s failed, and is tried again: %s", what, error)

    def works(self, what: str) -> None:
        """What may have failed before does not now."""
        self._failing.discard(what)

    async def open(self) -> FullConn:
        """One for what is done once; whoever asks closes it."""
        return await connect(self._url)

    def listen(self, channel: str, hinted: Callable[[str], None]) -> None:
        """Call `hinted` with what each notification says on a channel, instead of before."""
        if self._listening is not None:
            self._listening.cancel()
        self._listening = asyncio.get_running_loop().create_task(self._listen(channel, hinted))

    async def runs_exist(self, runs: set[UUID], *, project: int) -> set[UUID]:
        """Those of the runs that there are, asked until the database answers."""
        while True:
            try:
                return await events.runs_exist(
                    await self.looks.get(), project=project, runs=sorted(runs)
                )
            except psycopg.OperationalError as error:
                _log.warning("runs are asked for again: %s", error)
                await asyncio.sleep(_RETRY_S)

    async def close(self) -> None:
        """Close them all."""
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        await self.flushes.close()
        await self.claims.close()
        await self.looks.close()
        await self.sweeps.close()
        await self.spans.close()

    async def _listen(self, channel: str, hinted: Callable[[str], None]) -> None:
        while True:
            try:
                connection = DirectConnection(await connect(self._listen_url), notified=hinted)
                try:
                    await connection.execute(f'LISTEN "{channel}"')
                    hinted("")
                    await connection.until_closed()
                finally:
                    await connection.close()
            except psycopg.Error as error:
                # Hints only: looking from time to time goes on.
                _log.info("listening again: %s", error)
            await asyncio.sleep(_RETRY_S)
