"""What a crash test has: a database, the log of effects, and processes to kill."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import psycopg
from psycopg import sql

from assay.clock import DatabaseClock
from assay.engine.ingest import Ingest
from assay.ids import Ids
from assay.model.events import NewEvent
from assay.store.pool import Link
from crash import application
from crash.process import PROJECT
from locks import IS_CITUS, blocked_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATIENCE_S = 300.0
"""For a machine that others load: what works takes seconds."""
TESTS = Path(__file__).parent.parent


class Effect(NamedTuple):
    """A line of the log."""

    run: str
    step: str
    place: str
    token: str
    pid: int


class Field:
    """Starts, stops and kills processes on one database, and reads what they left."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self._directory = directory
        self._log = directory / "effects"
        self._processes: list[subprocess.Popen[str]] = []
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            kill(process)
        if self._connection is not None:
            self._connection.close()

    # Processes

    def worker(self, kind: str = "worker", *arguments: str) -> subprocess.Popen[str]:
        """A worker that has begun to claim."""
        process = self._start(kind, self.url, *arguments)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def workers(self, count: int) -> list[subprocess.Popen[str]]:
        """Some workers, started at the same time."""
        processes = [self._start("worker", self.url) for _ in range(count)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        return processes

    def deadly_sender(self, name: str, data: dict[str, object]) -> subprocess.Popen[str]:
        """Who sends an event and dies before it has looked for waits."""
        return self._start("send", self.url, name, json.dumps(data))

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (self._directory / "stderr").open("a") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-m", "crash.process", *arguments],
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=os.environ | {application.LOG: str(self._log), "PYTHONPATH": path},
            )
        self._processes.append(process)
        return process

    def release(self) -> None:
        """Let held steps end."""
        (self._directory / "release").touch()

    # Events

    def send(self, name: str, *data: Mapping[str, object]) -> list[str]:
        """Send events; gives the ids of the runs that they started."""
        return asyncio.run(self._send(name, data))

    async def _send(self, name: str, data: Sequence[Mapping[str, object]]) -> list[str]:
        clock = DatabaseClock()
        ids = Ids(clock)
        link = Link(self.url)
        try:
            sent = await Ingest(link, project=PROJECT, clock=clock, ids=ids).send(
                [
                    NewEvent(id=ids.new(), name=name, data=json.dumps(one), ts=clock.now())
                    for one in data
                ]
            )
        finally:
            await link.close()
        return [str(run) for run in sent.run_ids]

    # What there is

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query gives, over a new connection where the last one broke."""
        return self._fetch(query, values)

    def _fetch(
        self, query: str, values: Sequence[object] | Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        while True:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self.url, autocommit=True)
            try:
                return self._connection.execute(query, values).fetchall()
            except psycopg.OperationalError:
                self._connection.close()

    def value(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        return self.rows(query, *values)[0][0]

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition."""
        begun = time.monotonic()
        pause = threading.Event()
        while not condition():
            assert time.monotonic() - begun < PATIENCE_S, self.report()
            pause.wait(0.01)

    def until_row(self, query: str, *values: object) -> None:
        """Wait until a query gives true."""
        self.until(lambda: self.value(query, *values))

    def report(self) -> str:
        """What stands where, for a test that fails."""
        tables = ("turns", "waits", "workers")
        lines = [f"{name}: {self.rows(_everything(name))}"[:2_000] for name in tables]
        runs = self.rows("SELECT fn, status, count(*) FROM assay.runs GROUP BY fn, status")
        log = (self._directory / "stderr").read_text()[-3_000:]
        return "\n".join(["not in time", f"runs: {runs}", *lines, log])

    def effects(self, step: str | None = None) -> list[Effect]:
        """The log so far."""
        if not self._log.exists():
            return []
        lines = [line.split() for line in self._log.read_text().splitlines()]
        found = [
            Effect(run, name, index, token, int(pid)) for run, name, index, token, pid in lines
        ]
        return [one for one in found if step is None or one.step == step]

    def blocked(self, query_part: str) -> list[int]:
        """Pids of the backends that wait for a lock in a query with these words."""
        query = blocked_query(is_citus=self.value(IS_CITUS))
        return [row[0] for row in self._fetch(query, {"words": f"%{query_part}%"})]


def _everything(table: str) -> str:
    return sql.SQL("SELECT * FROM assay.{} LIMIT 5").format(sql.Identifier(table)).as_string()


def kill(process: subprocess.Popen[str]) -> None:
    """End it as kill -9 does, also while it is stopped."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
