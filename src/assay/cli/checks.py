"""What `assay doctor` looks at; each check says what it found and how to mend it."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import httpx2
import psycopg

from assay.clock import DatabaseClock
from assay.errors import AssayError
from assay.store import health
from assay.store.embedded import database_url
from assay.store.migrations import code_version
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assay.settings import Settings
    from assay.store.pool import Conn

GIB = 1 << 30
LEAST_FREE_GIB = 1.0
MOST_OFFSET_S = 1.0
SERVER_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        state: `ok`; `warn` where Assay works all the same; `fail` where it doesn't.
        found: what was found.
        mend: what to do about it, None where nothing is wrong.
    """

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    mend: str | None = None

    def shape(self) -> dict[str, Any]:
        """As an object for scripts."""
        return asdict(self)


def examine(settings: Settings, *, host: str, port: int) -> Iterator[Check]:
    """All checks, in the order in which they build on each other."""
    if settings.database_url is None:
        yield permissions(settings.data_dir)
        yield disk_space(settings.data_dir)
    with ExitStack() as until_done:
        connection = None
        if settings.database_url is None and not settings.data_dir.is_dir():
            yield Check(name="database", state="ok", found="none yet; the first start makes it")
        else:
            try:
                url = until_done.enter_context(database_url(settings))
                connection = until_done.enter_context(connect_blocking(url))
            except AssayError as error:
                yield Check(name="database", state="fail", found=error.message, mend=error.hint)
            except psycopg.OperationalError as error:
                yield Check(
                    name="database",
                    state="fail",
                    found=str(error).splitlines()[0],
                    mend="start PostgreSQL, or correct ASSAY_DATABASE_URL",
                )
        if connection is not None:
            yield from _of_database(connection)
    yield listening(host, port)


def permissions(data_dir: Path) -> Check:
    """Whether the data directory can be used, or made."""
    place = data_dir.absolute()
    while not place.exists():
        place = place.parent
    if os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return Check(name="permissions", state="ok", found=f"{place} can be written")
    return Check(
        name="permissions",
        state="fail",
        found=f"{place} can't be written by this user",
        mend=f"become its owner, or choose another place with --data-dir (now {data_dir})",
    )


def disk_space(data_dir: Path) -> Check:
    """Whether the disk has room for the database to grow."""
    place = data_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / GIB
    found = f"{free:.1f} GiB free at {place}"
    if free >= LEAST_FREE_GIB:
        return Check(name="disk space", state="ok", found=found)
    return Check(
        name="disk space",
        state="fail",
        found=found,
        mend=f"free some: PostgreSQL stops writing on a full disk; keep {LEAST_FREE_GIB:g} GiB",
    )


def _of_database(connection: Conn) -> Iterator[Check]:
    clock = DatabaseClock()
    sent = clock.local()
    state = health.read(connection)
    offset = state.now.timestamp() - (sent + clock.local()) / 2
    yield Check(name="database", state="ok", found=f"PostgreSQL {state.server} answers")
    yield schema(state.schema, code_version())
    yield clock_offset(offset)
    if state.schema is not None:
        yield alive(health.workers(connection))


def schema(found: int | None, known: int) -> Check:
    """Whether the tables are those that this code knows."""
    if found is None:
        return Check(name="schema", state="ok", found="no tables yet; the first start makes them")
    if found == known:
        return Check(name="schema", state="ok", found=f"version {found}")
    if found < known:
        return Check(
            name="schema",
            state="warn",
            found=f"version {found}, older than this code's {known}",
            mend="the next `assay serve`, `dev` or `worker` migrates it",
        )
    return Check(
        name="schema",
        state="fail",
        found=f"version {found}, newer than this code's {known}",
        mend="install the newer release of assay",
    )


def clock_offset(seconds: float) -> Check:
    """Whether this machine's clock agrees with the database's."""
    found = f"{seconds:+.3f} s from this machine to the database"
    if abs(seconds) <= MOST_OFFSET_S:
        return Check(name="clock", state="ok", found=found)
    return Check(
        name="clock",
        state="warn",
        found=found,
        mend="set both clocks by NTP; processes correct for it, logs don't",
    )


def alive(workers: list[health.WorkerState]) -> Check:
    """Whether anybody works."""
    living = [one for one in workers if one.late_s <= 0]
    if living:
        found = ", ".join(f"{one.app} on {one.host} (pid {one.pid})" for one in living)
        return Check(name="workers", state="ok", found=found)
    late = f"; {len(workers)} no longer answer" if workers else ""
    return Check(
        name="workers",
        state="warn",
        found=f"none{late}: events start runs that nobody works on",
        mend="start `assay worker app.py` (`assay dev` brings one along)",
    )


def listening(host: str, port: int) -> Check:
    """Whether the port is free for a server, or taken by one of Assay."""
    try:
        with socket.create_connection((host, port), timeout=SERVER_S):
            pass
    except OSError:
        return Check(name="port", state="ok", found=f"{port} of {host} is free")
    try:
        answer = httpx2.get(f"http://{host}:{port}/api/v1/health", timeout=SERVER_S)
        if answer.json().get("status") == "ok":
            return Check(name="port", state="ok", found=f"Assay answers on {port} of {host}")
    except (httpx2.HTTPError, ValueError, AttributeError):
        pass
    return Check(
        name="port",
        state="fail",
        found=f"another program listens on {port} of {host}",
        mend="stop it, or start Assay with another --port",
    )
