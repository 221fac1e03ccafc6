"""The lease of a worker: renewed by a thread of its own, since user code may block the loop."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import psycopg

from assay.engine.replay import pumping, stack_of
from assay.ids import to_text
from assay.store import workers as store
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from assay.clock import DatabaseClock
    from assay.ids import Ids
    from assay.store.pool import Conn

_log = logging.getLogger("assay.engine")
_STUCK_S = 2.0


class Lease:
    """Keeps a process registered; says whether it may still act.

    Args:
        clock: learns the database's time with each heartbeat, if given.
        on_lost: called in the heartbeat's thread when the process was marked lost and has come
            back under another id.
    """

    def __init__(
        self,
        url: str,
        *,
        project: int,
        lease_s: float,
        heartbeat_s: float,
        ids: Ids,
        clock: DatabaseClock | None,
        on_lost: Callable[[], object],
    ) -> None:
        self._url = url
        self._project = project
        self._serves = store.Serves()
        self._lease_s = lease_s
        self._heartbeat_s = heartbeat_s
        self._ids = ids
        self._clock = clock
        self._on_lost = on_lost
        self._until = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="assay-lease", daemon=True)
        self._connection: Conn | None = None
        self._reported: set[tuple[int, float]] = set()
        self.id: UUID = ids.new()

    def start(self, serves: store.Serves) -> None:
        """Register and begin to renew."""
        self._serves = serves
        self._connection = connect_blocking(self._url)
        self._register()
        self._thread.start()

    def holds(self) -> bool:
        """Whether the lease still holds, by this machine's monotonic clock."""
        return time.monotonic() < self._until

    def stop(self, *, leaves: bool = True) -> None:
        """Give the lease up; unless it `leaves`, what it left undone is swept once it runs out."""
        self._stop.set()
        self._thread.join()
        if self._connection is not None:
            try:
                if leaves:
                    store.leave(self._connection, self.id)
                self._connection.close()
            except psycopg.Error as error:
                _log.warning("leaving without a word, the database does not answer: %s", error)

    def abandon(self) -> None:
        """Renew no more, and leave the lease to run out as a killed process does."""
        self._stop.set()
        self._thread.join()
        self._until = 0.0
        if self._connection is not None:
            self._connection.close()

    def _register(self) -> None:
        assert self._connection is not None
        sent = time.monotonic()
        store.register(
            self._connection,
            self.id,
            project=self._project,
            serves=self._serves,
            host=socket.gethostname(),
            pid=os.getpid(),
            lease_s=self._lease_s,
        )
        self._until = sent + self._lease_s
        self._renew()

    def _beat(self) -> None:
        while not self._stop.wait(self._heartbeat_s):
            try:
                self._name_stuck_bodies()
                if self._connection is None or self._connection.closed:
                    self._connection = connect_blocking(self._url)
                if not self._renew():
                    _log.warning("this worker was taken for lost; it goes on under a new id")
                    self._until = 0.0
                    self.id = self._ids.new()
                    self._register()
                    self._on_lost()
            except Exception as error:  # noqa: BLE001 - a worker without a heart is of no use
                _log.warning("a heartbeat failed: %s: %s", type(error).__name__, error)
                if self._connection is not None:
                    self._connection.close()

    def _renew(self) -> bool:
        assert self._connection is not None
        sent = time.monotonic()
        local_sent = self._clock.local() if self._clock else 0.0
        now = store.heartbeat(self._connection, self.id, lease_s=self._lease_s)
        if now is None:
            return False
        if self._clock:
            self._clock.learn(now, sent_at=local_sent, received_at=self._clock.local())
        self._until = sent + self._lease_s
        return True

    def _name_stuck_bodies(self) -> None:
        for pump in pumping():
            key = (pump.thread, pump.since)
            if time.perf_counter() - pump.since > _STUCK_S and key not in self._reported:
                self._reported.add(key)
                _log.warning(
                    "the body of run %s has blocked its worker for more than %g s:\n%s",
                    to_text(pump.run_id),
                    _STUCK_S,
                    stack_of(pump),
                )
