"""`assay dev`: database, API and worker in one command, with a fresh worker at each save."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import asynccontextmanager
from signal import Signals
from typing import TYPE_CHECKING

from watchfiles import PythonFilter, awatch

from assay.app.database import database
from assay.app.process import interruptible, run, unless
from assay.app.serving import serving
from assay.cli.loading import check_there, folder_of
from assay.cli.options import PORT, Concurrency, DataDir, Host, Port, Targets, settings_of
from assay.cli.printing import note, say
from assay.cli.worker import WORKING
from assay.settings import environment_with

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

PATIENCE_S = 15.0


def dev(
    targets: Targets,
    host: Host = "127.0.0.1",
    port: Port = PORT,
    concurrency: Concurrency = None,
    data_dir: DataDir = None,
) -> None:
    """Run APP with a database and the API around it, and its new code whenever you save.

    A file that can't be loaded is told of, and the code from before goes on until it can; one that
    is not there ends it.
    """
    check_there(targets)
    settings = settings_of(data_dir)
    folders = sorted({folder_of(target) for target in targets})

    with interruptible(), database(settings, on_progress=note) as url:

        async def main(stop: asyncio.Event) -> None:
            async with serving(url, settings, host=host, port=port, targets=targets) as address:
                say(f"ready {address}")
                environment = environment_with(
                    ASSAY_URL=address, ASSAY_DATA_DIR=str(settings.data_dir.absolute())
                )
                options = [] if concurrency is None else ["--concurrency", str(concurrency)]
                async with _workers([*targets, *options], environment) as workers:
                    await _renew_at_saves(workers, folders, stop)

        run(main)


async def _renew_at_saves(workers: _Workers, folders: Sequence[Path], stop: asyncio.Event) -> None:
    async def watch() -> None:
        async for _ in awatch(*folders, watch_filter=PythonFilter(), stop_event=stop):
            workers.wanted.set()

    # It watches while a worker starts, so that what is saved then is not missed.
    watching = asyncio.create_task(watch())
    try:
        while not stop.is_set():
            await unless(stop, workers.wanted.wait())
            if workers.wanted.is_set() and not stop.is_set():
                workers.wanted.clear()
                await workers.renew()
    finally:
        stop.set()
        await watching


class _Workers:
    """The worker process that runs, and the one that is to take its place.

    Attributes:
        wanted: set when a fresh one is to be started: at first, at a save, after one was killed.
    """

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self._arguments = arguments
        self._environment = environment
        self._current: Process | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self.wanted = asyncio.Event()
        self.wanted.set()

    async def renew(self) -> None:
        """Start a worker with the code as it is now; it takes over once it works."""
        fresh = await self._start()
        if await self._works(fresh):
            before, self._current = self._current, fresh
            task = asyncio.create_task(self._follow(fresh))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
            if before is not None:
                await _end(before)
            return
        await _end(fresh)
        is_alive = self._current is not None and self._current.returncode is None
        note("the code from before goes on" if is_alive else "nothing runs until it is mended")

    async def close(self) -> None:
        """End the worker."""
        worker, self._current = self._current, None
        if worker is not None:
            await _end(worker)
        await asyncio.gather(*self._reading)

    async def _start(self) -> Process:
        # It is told by its standard input when this process dies, and by SIGTERM when it is to
        # end: a Ctrl-C in the terminal is for this process alone.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "assay.cli",
            "worker",
            *self._arguments,
            "--with-parent",
            stdin=PIPE,
            stdout=PIPE,
            env=self._environment,
            start_new_session=True,
        )

    async def _works(self, worker: Process) -> bool:
        """Whether it gets to work; what it prints before is passed on."""
        assert worker.stdout is not None
        async for line in worker.stdout:
            say(line.decode(errors="replace").rstrip("\n"))
            if line.startswith(WORKING.encode()):
                return True
        return False

    async def _follow(self, worker: Process) -> None:
        assert worker.stdout is not None
        async for line in worker.stdout:
            say(line.decode(errors="replace").rstrip("\n"))
        code = await worker.wait()
        if worker is not self._current:
            return
        if code > 0:
            note(f"the worker ended with exit code {code}; save to start it again")
        elif code < 0:
            # By the system where memory is short, by a library that crashed.
            note(f"the worker was killed by {Signals(-code).name}; another one starts")
            self.wanted.set()


@asynccontextmanager
async def _workers(
    arguments: Sequence[str], environment: dict[str, str]
) -> AsyncIterator[_Workers]:
    workers = _Workers(arguments, environment)
    try:
        yield workers
    finally:
        await workers.close()


async def _end(worker: Process) -> None:
    if worker.returncode is not None:
        return
    worker.terminate()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await worker.wait()
    except TimeoutError:
        worker.kill()
        await worker.wait()
