"""Calls at instants of a clock, whichever clock it is."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.clock import Clock


class Timers:
    """A heap of calls; a real clock makes them by itself, a manual one by `poke`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._handle: asyncio.TimerHandle | None = None

    def add(self, at: float, call: Callable[[], None]) -> None:
        """Call at an instant, in seconds since 1970."""
        heapq.heappush(self._heap, (at, next(self._order), call))
        self._arm()

    def poke(self) -> None:
        """Make the calls whose time has come."""
        now = self._clock.time()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
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
