"""The embedded server after a kill: of a user, of the server, while it recovers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from psycopg import pq

from assay.errors import AssayError
from assay.settings import Settings
from assay.store.embedded import EmbeddedPostgres, database_url
from embedded_user import User

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 120.0


def born(url: str) -> object:
    """Tells one server from the next."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    assert row is not None
    return row[0]


def postmaster(data_dir: Path) -> psutil.Process:
    """The server's first process."""
    text = (data_dir / "postgres" / "postmaster.pid").read_text()
    return psutil.Process(int(text.splitlines()[0]))


def kill_postmaster(data_dir: Path) -> None:
    """Kill -9, and go on at once."""
    postmaster(data_dir).send_signal(signal.SIGKILL)


def is_recovering(data_dir: Path) -> bool:
    """Whether the server answers that it does."""
    try:
        directory = (data_dir / "socket").read_text()
    except FileNotFoundError:
        return False
    return pq.PGconn.ping(f"host={directory} port=5432".encode()) == pq.Ping.REJECT


def make_cluster(data_dir: Path) -> None:
    """A cluster that is not running."""
    with EmbeddedPostgres(data_dir):
        pass


def account(data_dir: Path) -> int | None:
    """The uid that owns the cluster, where that isn't ourselves."""
    return (data_dir / "postgres").stat().st_uid if os.geteuid() == 0 else None


def write_pid_file(data_dir: Path, pid: int) -> None:
    """As a killed server leaves it, its pid given to another process since."""
    directory = data_dir / "postgres"
    lines = [pid, directory, 1_700_000_000, 5432, "/tmp/gone", "", "123456 7", "ready"]  # noqa: S108
    path = directory / "postmaster.pid"
    path.write_text("\n".join(map(str, lines)) + "\n")
    owner = directory.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def test_a_killed_user_counts_as_gone(data_dir: Path) -> None:
    """Kill -9 of one user: the other one's `stop` is that of the last."""
    with EmbeddedPostgres(data_dir) as server, User(data_dir) as other:
        assert server.url == other.answer()["url"]
        other.kill()
        process = postmaster(data_dir)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_outlives_its_last_user_is_joined_and_then_stopped(data_dir: Path) -> None:
    """Kill -9 of the only user: the next one finds the same server, and stops it."""
    with User(data_dir) as only:
        url = only.answer()["url"]
        only.kill()
    begun = born(url)

    with EmbeddedPostgres(data_dir) as server:
        assert begun == born(server.url)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_kill_of_the_server_loses_nothing_and_start_brings_it_back(data_dir: Path) -> None:
    """All that was committed is there, at the same URL, five times in a row."""
    with EmbeddedPostgres(data_dir) as server:
        url = server.url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        for n in range(5):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("INSERT INTO kept VALUES (%s)", [n])
                begun = born(url)
                kill_postmaster(data_dir)
            assert url == server.start()
            assert begun != born(url)
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT n FROM kept ORDER BY n").fetchall()
    assert rows == [(n,) for n in range(5)]


def test_a_process_that_goes_on_brings_a_killed_server_back(data_dir: Path) -> None:
    """Nobody has to start another one: under the same URL, with what was committed."""
    with database_url(Settings(data_dir=data_dir)) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        before = born(url)
        kill_postmaster(data_dir)

        def is_back() -> bool:
            with suppress(psycopg.OperationalError):
                return born(url) != before
            return False

        begun, pause = time.monotonic(), threading.Event()
        while not is_back():
            assert time.monotonic() - begun < PATIENCE_S
            pause.wait(0.05)

        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_a_user_killed_while_it_makes_the_cluster(data_dir: Path) -> None:
    """Its `initdb` runs on without it; the next one waits for that to end, and begins anew."""
    with User(data_dir) as first:
        made = [data_dir / name / "PG_VERSION" for name in ("postgres.new", "postgres")]
        while not any(path.exists() for path in made):
            assert first.process.poll() is None
        first.kill()
    with EmbeddedPostgres(data_dir) as server:
        assert born(server.url)
    assert not (data_dir / "postgres.new").exists()


def test_two_users_bring_a_killed_server_back_together(data_dir: Path) -> None:
    """Both call `start` after the kill; one starts it, both go on under their old URL."""
    with EmbeddedPostgres(data_dir) as one, EmbeddedPostgres(data_dir) as two:
        url = one.url
        kill_postmaster(data_dir)
        assert url == two.start() == one.start()
        log = (data_dir / "postgres.log").read_text()
        assert log.count("starting PostgreSQL") == 2


def test_a_server_killed_before_the_last_user_stops(data_dir: Path) -> None:
    """`stop` has nothing to do and says nothing; the next start recovers."""
    with EmbeddedPostgres(data_dir):
        kill_postmaster(data_dir)
    with EmbeddedPostgres(data_dir) as server:
        assert born(server.url)


@pytest.mark.parametrize("end", ["start", "stop"])
def test_a_stale_pid_file_that_names_a_living_foreign_process(data_dir: Path, end: str) -> None:
    """PostgreSQL alone would refuse to start for ever; nor is that process ever signalled."""
    make_cluster(data_dir)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=account(data_dir)) as foreign:
        if end == "start":
            write_pid_file(data_dir, foreign.pid)
        with EmbeddedPostgres(data_dir) as server:
            assert born(server.url)
            if end == "stop":
                process = postmaster(data_dir)
                write_pid_file(data_dir, foreign.pid)
                process.send_signal(signal.SIGKILL)
                process.wait()
        assert foreign.poll() is None
        foreign.communicate()


def test_a_stale_pid_file_that_names_a_zombie(data_dir: Path) -> None:
    """A process that nobody waited for has a pid, and yet is dead."""
    make_cluster(data_dir)
    zombie = subprocess.Popen(["/bin/true"], user=account(data_dir))
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    write_pid_file(data_dir, zombie.pid)
    with EmbeddedPostgres(data_dir) as server:
        assert born(server.url)
    zombie.wait()


def test_a_pid_file_cut_short(data_dir: Path) -> None:
    """An empty one is what a full disk leaves."""
    make_cluster(data_dir)
    write_pid_file(data_dir, 1)
    (data_dir / "postgres" / "postmaster.pid").write_text("")
    with EmbeddedPostgres(data_dir) as server:
        assert born(server.url)


def test_a_server_that_somebody_else_started_is_refused(data_dir: Path) -> None:
    """Two servers on one directory would destroy it."""
    make_cluster(data_dir)
    with EmbeddedPostgres(data_dir) as server:
        command = postmaster(data_dir).cmdline()
        assert born(server.url)
    command[-1] = "unix_socket_directories=."
    with subprocess.Popen(
        command, cwd=data_dir / "postgres", stderr=subprocess.PIPE, user=account(data_dir)
    ) as foreign:
        assert foreign.stderr is not None
        said: list[bytes] = []
        while b"ready to accept connections" not in b"".join(said):
            said.append(foreign.stderr.readline())
            assert said[-1], said
        with pytest.raises(AssayError, match=f"another PostgreSQL .pid {foreign.pid}.") as caught:
            EmbeddedPostgres(data_dir).start()
        assert caught.value.code == "embedded_in_use"
        foreign.send_signal(signal.SIGINT)


def test_slow_recovery_is_waited_for_with_progress(data_dir: Path) -> None:
    """A server that answers "I recover" is alive, however long it takes.

    Recovery is held up for as long as the test likes by a `restore_command` that waits. The first
    user is killed meanwhile; the other one's patience is shorter than any recovery.
    """
    make_cluster(data_dir)
    gate = data_dir / "postgres" / "gate"
    wait_for_gate = f"while [ ! -e {gate.name} ]; do sleep 0.02; done; exit 1"
    with (data_dir / "postgres" / "postgresql.conf").open("a") as file:
        file.write(f"restore_command = '{wait_for_gate}'\n")
    (data_dir / "postgres" / "recovery.signal").touch()
    heard: list[str] = []

    def hear(message: str) -> None:
        heard.append(message)
        if len(heard) == 2:
            gate.touch()

    with User(data_dir) as first:
        while not is_recovering(data_dir):
            assert first.process.poll() is None
        first.kill()
    server = EmbeddedPostgres(data_dir, patience_s=0.3, on_progress=hear)
    assert born(server.start())
    assert re.match(r"waiting for PostgreSQL to accept connections \(\d+ s\)", heard[0])
    assert len(heard) >= 2
    server.stop()


def test_a_process_of_the_server_that_does_not_answer_is_reported(data_dir: Path) -> None:
    """As when another container uses the same directory: wait, then say so; never a second one."""
    make_cluster(data_dir)
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, data_dir / "server.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AssayError, match="does not answer") as caught:
            EmbeddedPostgres(data_dir, patience_s=0.3).start()
        assert caught.value.code == "embedded_not_answering"
        holder.communicate()
    with EmbeddedPostgres(data_dir) as server:
        assert born(server.url)
