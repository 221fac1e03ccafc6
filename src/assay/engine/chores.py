"""What a worker does from time to time beside its runs; whichever worker comes first does it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from assay.store import event_keys, rolling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assay.clock import Clock
    from assay.store.pool import FullConn

_log = logging.getLogger("assay.engine")
COUNT_S = 60.0
FORGET_S = 600.0


class Chore:
    """Does one thing over and over. What goes wrong with it costs the worker's runs nothing.

    Args:
        what: it is, as the log names it.
        do: does it once.
        every_s: between the end and the next beginning.
        first_s: before the first time.
    """

    def __init__(
        self,
        what: str,
        do: Callable[[], Awaitable[object]],
        *,
        every_s: float,
        first_s: float = 0.0,
    ) -> None:
        self._what = what
        self._do = do
        self._every_s = every_s
        self._first_s = first_s
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Do it for ever."""
        await self._pause(self._first_s)
        while True:
            self._wake.clear()
            try:
                await self._do()
            except Exception as error:  # noqa: BLE001 - it is tried again, whatever was wrong
                _log.warning("%s failed: %s: %s", self._what, type(error).__name__, error)
            await self._pause(self._every_s)

    def poke(self) -> None:
        """Do it at once: time has moved."""
        self._wake.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()


def of_project(
    open: Callable[[], Awaitable[FullConn]], *, project: int, clock: Clock
) -> list[Chore]:
    """What is done for a project: hours are counted that are due, and what is over is forgotten.

    Args:
        open: gives a connection; whoever asks closes it.
        project: whose hours, and whose keys of events.
        clock: says what is due.
    """

    async def count() -> None:
        async with await open() as connection:
            await rolling.roll_all(connection, project=project, now=clock.now())

    async def forget() -> None:
        async with await open() as connection:
            await event_keys.forget(connection, project=project, now=clock.now())

    return [
        Chore("counting hours", count, every_s=COUNT_S, first_s=COUNT_S),
        Chore("forgetting keys of events", forget, every_s=FORGET_S, first_s=COUNT_S),
    ]
