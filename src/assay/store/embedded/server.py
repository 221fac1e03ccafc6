"""`EmbeddedPostgres`: one user's hold on the server of a data directory."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from psycopg import pq

from assay.errors import AssayError
from assay.settings import Settings
from assay.store.embedded import postmaster
from assay.store.embedded.account import account_for, make_data_dir, refuse
from assay.store.embedded.binaries import binaries_for
from assay.store.embedded.cluster import Cluster, cluster_directory
from assay.store.embedded.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_log = logging.getLogger("assay.store")
PAUSE_S = 0.02
LOOK_S = 1.0
"""How often a process looks whether the server lives: one system call."""
REPORT_EVERY_S = 1.0
STOP_PATIENCE_S = 60.0


class EmbeddedPostgres:
    """The PostgreSQL of a directory, shared by all processes that use it at the same time.

    Use it as a context manager, or call `start` and `stop`. The first user starts the server,
    the last one stops it. A user that is killed counts as gone. `start` may be called again
    at any time: it brings a killed server back under the same URL.

    Args:
        data_dir: where the data lies; made if it is missing.
        patience_s: how long a server may give no sign of life before `start` gives up.
            One that answers that it recovers is waited for as long as it takes.
        on_progress: told once a second what `start` waits for.
        binaries: where `postgres` and `initdb` of version 18 lie; the wheel's if not given.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        patience_s: float = 60.0,
        on_progress: Callable[[str], None] | None = None,
        binaries: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self._patience_s = patience_s
        self._on_progress = on_progress
        self._binaries = binaries
        self._users: FileLock | None = None
        self._guard = threading.Lock()

    def start(self) -> str:
        """Join the server, or start it, and return its libpq URL."""
        with self._guard:
            try:
                make_data_dir(self.data_dir)
                self.data_dir = self.data_dir.resolve()
                with self._serialised():
                    return self._join()
            except PermissionError as error:
                raise refuse(self.data_dir) from error

    def stop(self) -> None:
        """Let go of the server; the last user stops it."""
        with self._guard:
            users, self._users = self._users, None
            if users is None:
                return
            if users.is_inherited or not users.is_current:
                users.hand_over()
                return
            with self._serialised():
                try:
                    if users.try_exclusive():
                        self._stop_server()
                finally:
                    users.release()

    def has_died(self) -> bool:
        """Whether no process of the server lives any more."""
        lock = FileLock(self.data_dir / "server.lock")
        try:
            return lock.try_exclusive()
        finally:
            lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The libpq URL of the started server."""
        cluster = self._cluster()
        socket_dir = cluster.socket_dir()
        if self._users is None or socket_dir is None:
            raise AssayError("the embedded PostgreSQL is not started", code="embedded_not_started")
        return cluster.url(socket_dir)

    def _cluster(self) -> Cluster:
        account = account_for(self.data_dir, cluster_directory(self.data_dir))
        binaries = self._binaries or binaries_for(account)
        return Cluster(data_dir=self.data_dir, binaries=binaries, account=account)

    @contextmanager
    def _serialised(self) -> Iterator[None]:
        """Alone among those that start or stop this server."""
        lock = FileLock(self.data_dir / "start.lock")
        try:
            waiting = _Waiting("another process to start or stop it", self._on_progress)
            while not lock.try_exclusive():
                waiting.pause()
            yield
        finally:
            lock.release()

    def _join(self) -> str:
        users = self._users or FileLock(self.data_dir / "users.lock")
        try:
            users.try_shared()
            cluster = self._cluster()
            self._ensure_running(cluster)
        except BaseException:
            if self._users is None:
                users.release()
            raise
        self._users = users
        return self.url

    def _ensure_running(self, cluster: Cluster) -> None:
        waiting = _Waiting("PostgreSQL to accept connections", self._on_progress)
        launched = False
        while True:
            match postmaster.ping(cluster.socket_dir()):
                case pq.Ping.OK:
                    return
                case pq.Ping.REJECT:
                    waiting.saw_life()
                case _:
                    if self._launch_if_nobody_lives(cluster, again=launched):
                        launched = True
                        waiting.saw_life()
            if waiting.silent_s > self._patience_s:
                raise AssayError(
                    f"a PostgreSQL works in {cluster.directory}, but it does not answer",
                    code="embedded_not_answering",
                    hint="it may belong to another container: stop it there, "
                    "or choose another ASSAY_DATA_DIR",
                )
            waiting.pause()

    def _launch_if_nobody_lives(self, cluster: Cluster, *, again: bool) -> bool:
        """Start the server unless one of its processes still holds `server.lock`."""
        lock = FileLock(self.data_dir / "server.lock")
        try:
            if not lock.try_exclusive():
                return False
            if again:
                cluster.forget_socket_dir()
                raise AssayError(
                    f"PostgreSQL does not start; it says:\n{postmaster.log_tail(cluster)}",
                    code="embedded_start_failed",
                    hint=f"its whole log is {cluster.log}",
                )
            if not cluster.exists():
                cluster.create([lock.fd])
            postmaster.clear_stale_pid_file(cluster)
            postmaster.launch(cluster, cluster.make_socket_dir(), lock)
            return True
        finally:
            lock.hand_over()

    def _stop_server(self) -> None:
        cluster = self._cluster()
        waiting = _Waiting("PostgreSQL to stop", self._on_progress)
        lock = FileLock(self.data_dir / "server.lock")
        try:
            number = signal.SIGINT
            postmaster.signal_server(cluster, number)
            while not lock.try_exclusive():
                if number == signal.SIGINT and waiting.silent_s > STOP_PATIENCE_S:
                    number = signal.SIGQUIT
                    postmaster.signal_server(cluster, number)
                waiting.pause()
            cluster.forget_socket_dir()
        finally:
            lock.release()


class _Waiting:
    """Short pauses, with a word of progress once a second."""

    def __init__(self, what: str, report: Callable[[str], None] | None) -> None:
        self._what = what
        self._report = report
        self._began = self._alive = self._reported = time.monotonic()

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self._alive

    def saw_life(self) -> None:
        self._alive = time.monotonic()

    def pause(self) -> None:
        now = time.monotonic()
        if self._report is not None and now - self._reported >= REPORT_EVERY_S:
            self._reported = now
            self._report(f"waiting for {self._what} ({now - self._began:.0f} s)")
        time.sleep(PAUSE_S)


@contextmanager
def database_url(
    settings: Settings | None = None, *, on_progress: Callable[[str], None] | None = None
) -> Iterator[str]:
    """The URL of the database that the settings name, for as long as the block runs.

    That is `ASSAY_DATABASE_URL` where it is set, else the embedded server of `ASSAY_DATA_DIR`,
    which is started again should it be killed.
    """
    chosen = settings or Settings.from_env()
    if chosen.database_url is not None:
        yield chosen.database_url
        return
    server = EmbeddedPostgres(chosen.data_dir, on_progress=on_progress)
    try:
        url = server.start()
        with _kept_up(server):
            yield url
    finally:
        server.stop()


@contextmanager
def _kept_up(server: EmbeddedPostgres) -> Iterator[None]:
    ended = threading.Event()

    def keep() -> None:
        told = ""
        while not ended.wait(LOOK_S):
            try:
                if server.has_died():
                    _log.warning("PostgreSQL was killed; it is started again")
                    server.start()
            except (AssayError, OSError) as error:
                if told != str(error):
                    told = str(error)
                    _log.warning("PostgreSQL can't be started again: %s", told)

    keeper = threading.Thread(target=keep, name="assay-postgres", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
