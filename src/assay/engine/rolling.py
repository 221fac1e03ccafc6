"""Counting hours of runs and scores, by whichever worker comes first."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import psycopg

from assay.store import rolling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assay.clock import Clock
    from assay.store.pool import FullConn

_log = logging.getLogger("assay.engine")
ROLL_S = 60.0


class Rolling:
    """Counts the hours of one project that are due.

    Args:
        open: gives a connection; whoever asks closes it.
    """

    def __init__(
        self, open: Callable[[], Awaitable[FullConn]], *, project: int, clock: Clock
    ) -> None:
        self._open = open
        self._project = project
        self._clock = clock

    async def run(self) -> None:
        """Count for ever, as hours fall due."""
        while True:
            await asyncio.sleep(ROLL_S)
            try:
                await self.take()
            except psycopg.Error as error:
                _log.warning("counting hours failed: %s", error)

    async def take(self) -> int:
        """Count what is due; gives how many hours that was."""
        async with await self._open() as connection:
            now = self._clock.now()
            return await rolling.roll_all(connection, project=self._project, now=now)
