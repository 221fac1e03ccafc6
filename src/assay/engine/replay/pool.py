"""The daemon threads that sync bodies run in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SyncBodies:
    """Threads for sync bodies and their branches; one pool serves all runs of a worker.

    Not a ThreadPoolExecutor: that one waits at exit for its threads, and a body that swallows
    `Parked` never gives its thread back.
    """

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        self._is_closed = False

    def run(self, work: Callable[[], None]) -> None:
        """Do the work in a thread that is idle, or in a new one."""
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._rest)
        worker.give(work)

    def close(self) -> None:
        """End the idle threads, and the others as they become idle."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().give(None)

    def _rest(self, worker: _Worker) -> None:
        self._idle.append(worker)
        if self._is_closed:
            self.close()


class _Worker:
    """One thread, and what it does next."""

    __slots__ = ("_is_given", "_rest", "_thread", "_work")

    def __init__(self, rest: Callable[[_Worker], None]) -> None:
        self._rest = rest
        self._work: Callable[[], None] | None = None
        self._is_given = threading.Lock()
        self._is_given.acquire()
        self._thread = threading.Thread(target=self._live, name="assay-body", daemon=True)
        self._thread.start()

    def give(self, work: Callable[[], None] | None) -> None:
        """Have it do the work; None ends it."""
        self._work = work
        self._is_given.release()

    def _live(self) -> None:
        while True:
            self._is_given.acquire()
            work, self._work = self._work, None
            if work is None:
                return
            work()
            # Else an idle thread would keep the last run alive.
            del work
            self._rest(self)
