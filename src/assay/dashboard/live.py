"""What happens, told to open pages as server-sent events.

All pages of a project that are open in this process share one look at the database a second. A page
carries the pulse that it was made at, so that nothing falls between its making and its listening.
It is told only which kinds of things have changed, and asks for itself what to show.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from assay.errors import AssayError
from assay.ids import span_of
from assay.store.pulse import pulse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from assay.access.services import Services

_log = logging.getLogger("assay.dashboard")
LOOK_EVERY_S = 1.0
SPEAK_EVERY_S = 15.0
KINDS = ("runs", "events", "scores")
_END = "end"

Seen: TypeAlias = str
"""A pulse as pages carry it: a hash of each of `KINDS`, joined by dots."""


@dataclass(eq=False, slots=True)
class _Listener:
    seen: Seen
    queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)


class Live:
    """Tells of changes; one an app."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listeners: dict[int, set[_Listener]] = {}
        self._looking: dict[int, asyncio.Task[None]] = {}
        self._is_closed = False

    async def now(self, project: int) -> Seen:
        """A project's pulse as it is."""
        found = await self._services.read(project, lambda r: pulse(r, project=project))
        parts = ((found.run, found.turns), (found.event,), (found.score,))
        return ".".join(f"{span_of(*part):x}" for part in parts)

    async def stream(self, project: int, seen: Seen) -> AsyncIterator[str]:
        """Events for a page made at a pulse, until the server ends: `changed` with kinds."""
        if self._is_closed:
            return
        with self._listening(project, seen) as listener:
            yield "retry: 2000\n\n"
            while True:
                try:
                    kinds = await asyncio.wait_for(listener.queue.get(), SPEAK_EVERY_S)
                except TimeoutError:
                    # So that a connection that is dead is found out.
                    yield ": still here\n\n"
                    continue
                if kinds == _END:
                    return
                # Its id comes back with the browser when the connection was lost.
                yield f"id: {listener.seen}\nevent: changed\ndata: {kinds}\n\n"

    def close(self) -> None:
        """End all streams, so that the server can end; there are no more from then on."""
        self._is_closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.queue.put_nowait(_END)

    @contextmanager
    def _listening(self, project: int, seen: Seen) -> Iterator[_Listener]:
        listener = _Listener(seen)
        listeners = self._listeners.setdefault(project, set())
        listeners.add(listener)
        if project not in self._looking:
            self._looking[project] = asyncio.create_task(self._look(project))
        try:
            yield listener
        finally:
            listeners.discard(listener)
            if not listeners:
                self._listeners.pop(project, None)
                self._looking.pop(project).cancel()

    async def _look(self, project: int) -> None:
        while True:
            try:
                now = await self.now(project)
            except AssayError as error:
                _log.warning("what is new is looked for again: %s", error)
            else:
                for listener in self._listeners.get(project, ()):
                    if listener.seen != now:
                        listener.queue.put_nowait(" ".join(changed(listener.seen, now)))
                        listener.seen = now
            await asyncio.sleep(LOOK_EVERY_S)


def changed(before: Seen, now: Seen) -> list[str]:
    """The kinds of things that differ; all of them where a pulse is none."""
    pairs = zip(before.split("."), now.split("."), strict=False)
    if before.count(".") != now.count("."):
        return list(KINDS)
    return [kind for kind, (old, new) in zip(KINDS, pairs, strict=False) if old != new]
