"""What follows a commit: looking for events, starting what sent events match, hints."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import psycopg

from assay.engine.waits import look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from assay.engine.arrivals import Arrivals
    from assay.engine.ingest import Ingest
    from assay.engine.waits import Looking
    from assay.engine.writes import Writes
    from assay.model.events import NewEvent
    from assay.store.pool import Link

_log = logging.getLogger("assay.engine")


class Aftermath:
    """Takes the committed writes of many flushes together; what fails is tried again.

    Should the process die before it is done, a sweep stands in (`sweeping`).

    Attributes:
        is_idle: whether nothing is left to do.
    """

    def __init__(
        self,
        link: Link,
        arrivals: Arrivals,
        ingest: Ingest,
        *,
        project: int,
        app: str,
        wake: Callable[[], None],
    ) -> None:
        self._link = link
        self._arrivals = arrivals
        self._ingest = ingest
        self._project = project
        self._app = app
        self._wake = wake
        self._looks: list[Looking] = []
        self._sent: list[NewEvent] = []
        self._traces: dict[UUID, UUID] = {}
        self._hints: set[str] = set()
        self._ready = asyncio.Event()
        self._done = asyncio.Event()
        self._done.set()

    def add(self, batch: Sequence[Writes]) -> None:
        """Note what has been committed."""
        for writes in batch:
            if not writes.has_sequel:
                continue
            self._looks += writes.looks
            self._sent += writes.sent
            self._hints |= writes.hints
            for event in writes.sent:
                if event.source_run is not None:
                    self._traces[event.source_run] = writes.trace or event.source_run
        if self._app in self._hints:
            self._hints.discard(self._app)
            self._wake()
        if self._looks or self._sent or self._hints:
            self._done.clear()
            self._ready.set()

    @property
    def is_idle(self) -> bool:
        """Whether all is done."""
        return self._done.is_set()

    async def drained(self, seconds: float) -> bool:
        """Wait until all is done, for so long at most; whether it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._done.wait()
        return self._done.is_set()

    async def run(self) -> None:
        """Follow up for ever."""
        while True:
            if not self._ready.is_set():
                self._done.set()
            await self._ready.wait()
            self._ready.clear()
            looks, self._looks = self._looks, []
            sent, self._sent = self._sent, []
            hints, self._hints = self._hints, set()
            traces, self._traces = self._traces, {}
            try:
                woken = await look(
                    await self._link.get(), self._arrivals, looks, project=self._project
                )
                looks = []
                await self._ingest.match(sent, traces=traces)
                if woken or sent:
                    self._wake()
                sent = []
                await self._ingest.hint(hints)
            except psycopg.Error as error:
                _log.warning("what follows a commit is tried again: %s", error)
                self._looks += looks
                self._sent += sent
                self._hints |= hints
                self._traces |= traces
                self._ready.set()
                await asyncio.sleep(0.2)
