"""The sandbox for tests that are not async."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from assay.testing.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType

    from assay.clock import ManualClock
    from assay.sdk.client import Client
    from assay.sdk.events import Event
    from assay.sdk.questions import Sent
    from assay.wire.events import Event as EventRead
    from assay.wire.runs import Run, RunDetail
    from assay.wire.scores import Score

R = TypeVar("R")


class SyncSandbox:
    """`Sandbox` on an event loop in a thread; `client.sync` goes to it too.

    Args:
        clients: as of `Sandbox`.
        database_url: as of `Sandbox`.
        start: as of `Sandbox`.
    """

    def __init__(self, *clients: Client, database_url: str, start: datetime | None = None) -> None:
        self._box = Sandbox(*clients, database_url=database_url, start=start)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="assay-sandbox", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._box.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._wait(self._box.__aexit__(kind, error, traceback))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def clock(self) -> ManualClock:
        """As of `Sandbox`."""
        return self._box.clock

    def send(self, events: Event[Any] | Sequence[Event[Any]]) -> Sent:
        """As of `Sandbox`."""
        return self._wait(self._box.send(events))

    def advance(self, by: str | float | timedelta) -> None:
        """As of `Sandbox`."""
        self._wait(self._box.advance(by))

    def move(self, by: str | float | timedelta) -> None:
        """As of `Sandbox`."""
        self._loop.call_soon_threadsafe(self._box.move, by)

    def crash_after(self, *, commit: int = 1) -> None:
        """As of `Sandbox`."""
        self._loop.call_soon_threadsafe(lambda: self._box.crash_after(commit=commit))

    def crash_before(self, *, commit: int = 1) -> None:
        """As of `Sandbox`."""
        self._loop.call_soon_threadsafe(lambda: self._box.crash_before(commit=commit))

    def crash(self) -> None:
        """As of `Sandbox`."""
        self._loop.call_soon_threadsafe(self._box.crash)

    def settled(self) -> None:
        """As of `Sandbox`."""
        self._wait(self._box.settled())

    def finished(self, run_id: str) -> RunDetail:
        """As of `Sandbox`."""
        return self._wait(self._box.finished(run_id))

    def until(self, holds: Callable[[], bool]) -> None:
        """As of `Sandbox`."""
        self._wait(self._box.until(holds))

    def run(self, run_id: str) -> RunDetail:
        """As of `Sandbox`."""
        return self._wait(self._box.run(run_id))

    def runs(self, function_id: str | None = None) -> list[Run]:
        """As of `Sandbox`."""
        return self._wait(self._box.runs(function_id))

    def scores(self, run_id: str) -> list[Score]:
        """As of `Sandbox`."""
        return self._wait(self._box.scores(run_id))

    def event(self, event_id: str) -> EventRead:
        """As of `Sandbox`."""
        return self._wait(self._box.event(event_id))

    def get(self, path: str, **asked: object) -> Any:
        """As of `Sandbox`."""
        return self._wait(self._box.get(path, **asked))

    def _wait(self, doing: Coroutine[object, object, R]) -> R:
        async def through() -> R:
            return await doing

        return asyncio.run_coroutine_threadsafe(through(), self._loop).result()
