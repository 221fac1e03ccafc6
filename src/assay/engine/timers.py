"""Calls at instants of a clock, whichever clock it is."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.clock import Clock

_FEW = 100


class Timer:
    """One call to come; `cancel` forgets it."""

    __slots__ = ("_timers", "at", "call")

    def __init__(self, timers: Timers, at: float, call: Callable[[], None]) -> None:
        self._timers = timers
        self.at = at
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Don't call."""
        if self.call is not None:
            self.call = None
            self._timers.dropped()


class Timers:
    """A heap of calls; a real clock makes them by itself, a manual one by `poke`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._dropped = 0
        self._handle: asyncio.TimerHandle | None = None

    def add(self, at: float, call: Callable[[], None]) -> Timer:
        """Call at an instant, in seconds since 1970."""
        timer = Timer(self, at, call)
        heapq.heappush(self._heap, (at, next(self._order), timer))
        self._arm()
        return timer

    def dropped(self) -> None:
        """One of the timers was cancelled: such are cleared out once they are the most."""
        self._dropped += 1
        if self._dropped > max(_FEW, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._dropped = 0

    def poke(self) -> None:
        """Make the calls whose time has come."""
        now = self._clock.time()
        while self._heap and self._heap[0][0] <= now:
            timer = heapq.heappop(self._heap)[2]
            call, timer.call = timer.call, None
            if call is None:
                self._dropped -= 1
            else:
                call()
        self._arm()

    def close(self) -> None:
        """Drop what is left."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap:
            delay = max(0.001, self._heap[0][0] - self._clock.time())
            self._handle = asyncio.get_running_loop().call_later(min(delay, 3600.0), self.poke)
