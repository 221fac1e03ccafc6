"""When a worker looks for due turns: woken for each where they are few, by itself where many."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from assay.clock import Clock
    from assay.engine.options import WorkerOptions

FEW = 4


class Pace:
    """The pauses between the claims of one worker.

    While runs come one after the other the worker stays flagged as idle and is woken for each.
    Where they come before others have ended it looks by itself after a pause, since being woken
    for each event it would work in batches of one.

    Args:
        wake: set by whoever knows that there may be work.
        flag: makes known whether the worker is to be woken.
        next_due: when the next turn before an instant is due.
    """

    def __init__(
        self,
        wake: asyncio.Event,
        *,
        options: WorkerOptions,
        clock: Clock,
        flag: Callable[[bool], Awaitable[None]],
        next_due: Callable[[datetime], Awaitable[datetime | None]],
    ) -> None:
        self._wake = wake
        self._options = options
        self._clock = clock
        self._flag = flag
        self._next_due = next_due
        self._is_idle = False
        self._crowded = 0
        self._misses = 0

    def forget(self) -> None:
        """The flag may not be what it was."""
        self._is_idle = False

    async def pause(self, claimed: int, live: int) -> None:
        """Wait until there may be work again, after a claim of so many with so many live now."""
        is_full = live >= self._options.concurrency
        if self._is_idle:
            self._crowded = self._crowded + 1 if 0 < claimed < live else 0
            if is_full or claimed > FEW or self._crowded >= FEW:
                await self._set_idle(is_idle=False)
            else:
                await self._rest()
        elif is_full:
            await self._wake.wait()
        else:
            # One that is alone came after the one before it: a pause only keeps it waiting.
            is_alone = claimed == live == 1
            self._misses = self._misses + 1 if is_alone or not claimed else 0
            if self._misses < FEW:
                await asyncio.sleep(self._options.pause_s)
            else:
                await self._set_idle(is_idle=True)  # commit first, then look

    async def _set_idle(self, *, is_idle: bool) -> None:
        self._crowded = self._misses = 0
        self._is_idle = is_idle
        await self._flag(is_idle)

    async def _rest(self) -> None:
        """Wait for a hint, the next due turn, or the time for a look."""
        if await self._woken_within(self._options.pause_s):
            return
        now, seconds = self._clock.now(), self._options.idle_s
        due = await self._next_due(now + timedelta(seconds=seconds))
        if due is not None:
            seconds = max(0.0, min(seconds, (due - now).total_seconds()))
        await self._woken_within(seconds)

    async def _woken_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        return self._wake.is_set()
