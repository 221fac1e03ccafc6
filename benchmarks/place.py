"""Where the benchmarks run: a server of their own, its CPU time, and the floor that it has."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import psycopg

from assay.store.embedded import EmbeddedPostgres
from assay.store.migrations import migrate
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Place:
    """A server with a migrated database.

    Attributes:
        url: of Assay's database.
        other_url: of an empty one beside it, for the floor and for DBOS.
    """

    url: str
    other_url: str
    postmaster: int

    def postgres_cpu_s(self) -> float:
        """CPU seconds of all processes of the server so far."""
        processes = [psutil.Process(self.postmaster)]
        processes += processes[0].children()
        return sum(cpu_s(process.pid) for process in processes)

    def vacuum(self) -> None:
        """Do at once what autovacuum has left to do."""
        with connect_blocking(self.url) as connection:
            connection.execute("VACUUM (ANALYZE)")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process, with its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


@contextmanager
def place() -> Iterator[Place]:
    """A server in a directory of its own, gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="assay-bench-") as directory,
        EmbeddedPostgres(Path(directory, ".assay")) as server,
    ):
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("CREATE DATABASE bench_assay")
            admin.execute("CREATE DATABASE bench_other")
            backend = psutil.Process(admin.info.backend_pid)
            postmaster = backend.ppid()
        url, other_url = (
            urlsplit(server.url)._replace(path=f"/bench_{name}").geturl()
            for name in ("assay", "other")
        )
        with connect_blocking(url) as connection:
            migrate(connection, now=datetime.now(UTC))
        with psycopg.connect(other_url, autocommit=True) as other:
            other.execute("CREATE TABLE floor (id bigint PRIMARY KEY, note text NOT NULL)")
        yield Place(url, other_url, postmaster)


@contextmanager
def installed() -> Iterator[dict[str, str]]:
    """The environment of programs whose modules are compiled by their first start.

    So pip leaves them, and so any program finds them from its second start on, unless
    `PYTHONDONTWRITEBYTECODE` is set, as in many containers.
    """
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


class Floor:
    """One-row INSERTs, autocommit, prepared, one connection, one at a time."""

    def __init__(self, place: Place) -> None:
        self._connection = psycopg.connect(place.other_url, autocommit=True)
        self._next = 0

    def per_second(self, seconds: float) -> float:
        """Rows written in a second."""
        execute = self._connection.execute
        number = first = self._next
        started = time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds:
            number += 1
            execute("INSERT INTO floor VALUES (%s, %s)", (number, "note"), prepare=True)
        self._next = number
        return (number - first) / spent

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


def fsync_ms(directory: Path, *, times: int = 300) -> float:
    """The median of what a write of 8 kB and an fdatasync take, in milliseconds."""
    spent = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(times):
            started = time.perf_counter()
            file.seek(0)
            file.write(b"x" * 8192)
            file.flush()
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - started)
    return sorted(spent)[times // 2] * 1000
