"""What the benchmarks run: the functions, the worker's process, and a sender beside it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvloop
from typing_extensions import override

import assay
from assay.clock import DatabaseClock
from assay.engine.garbage import collect_less
from assay.engine.ingest import Ingest
from assay.engine.worker import Worker
from assay.ids import Ids
from assay.model.events import NewEvent
from assay.store.pool import Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROJECT = 1
client = assay.Client("bench")


@client.function("one-step", on="bench/one")
async def one_step(ctx: assay.Context) -> str:
    """A step and its end."""
    return await ctx.step.run("work", work, 1)


async def work(value: int) -> str:
    """As little as can be."""
    return f"done {value}"


@client.function("large-step", on="bench/large")
async def large_step(ctx: assay.Context) -> str:
    """The same with a memo and an output of 2 kB."""
    return await ctx.step.run("work", large_work, 1)


async def large_work(value: int) -> str:
    """2 kB that compress as little as text does."""
    return hashlib.shake_256(str(value).encode()).hexdigest(1024)


@client.function("sequence", on="bench/sequence")
async def sequence(ctx: assay.Context) -> int:
    """As many steps as its event says, one after the other."""
    count: int = ctx.event.data["steps"]
    for number in range(count):
        await ctx.step.run(f"step-{number}", work, number)
    return count


@client.function("entered", on="bench/enter")
async def entered(_: assay.Context) -> None:
    """Says when its body is entered."""
    report(f"at {time.time()}")  # noqa: TID251 - compared with another process of this machine


@client.function("parked", on="bench/park")
async def parked(ctx: assay.Context) -> None:
    """Waits for an event of its own."""
    came = await ctx.step.wait_for_event(
        "wait", event="bench/go", timeout="7d", match={"number": ctx.event.data["number"]}
    )
    if came is not None:
        report(f"at {time.time()}")  # noqa: TID251 - as above


def report(line: str) -> None:
    """Tell the process that started this one."""
    os.write(1, f"{line}\n".encode())


class ReportingWorker(Worker):
    """A worker that says how many runs have left it so far."""

    ended = 0
    _has_news = False

    @override
    def left(self, *run: Any, **how: Any) -> None:
        super().left(*run, **how)
        self.ended += 1
        if not self._has_news:
            self._has_news = True
            asyncio.get_running_loop().call_soon(self._report)

    def _report(self) -> None:
        self._has_news = False
        report(f"ended {self.ended}")


async def work_until_closed() -> None:
    """The worker's process: the database's URL comes in the first line, its end in the end."""
    loop = asyncio.get_running_loop()
    url = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
    clock = DatabaseClock()
    worker = ReportingWorker(
        url,
        client.functions,
        app="bench",
        project=PROJECT,
        clock=clock,
        ids=Ids(clock),
        chance=lambda: 0.5,
        learns=clock,
    )
    await worker.start()
    report("ready")
    await loop.run_in_executor(None, sys.stdin.readline)
    await worker.stop()


class WorkerProcess:
    """A worker's process as seen from here.

    Attributes:
        ended: runs that have left it.
        instants: what its bodies have said, in seconds since 1970.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self.ended = 0
        self.instants: asyncio.Queue[float] = asyncio.Queue()
        self.ready = asyncio.Event()
        self._process = process
        self._changed = asyncio.Event()
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def until_ended(self, count: int) -> None:
        """Wait until as many runs have left."""
        while self.ended < count:
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """End it in good order."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            word, _, value = line.decode().partition(" ")
            if word == "ended":
                self.ended = int(value)
                self._changed.set()
            elif word == "at":
                self.instants.put_nowait(float(value))
            else:
                self.ready.set()


class Sender:
    """Sends events as an API process does."""

    def __init__(self, url: str) -> None:
        self._clock = DatabaseClock()
        self._ids = Ids(self._clock)
        self._link = Link(url, is_hot=True)
        self._ingest = Ingest(self._link, project=PROJECT, clock=self._clock, ids=self._ids)

    async def send(self, name: str, *data: str) -> None:
        """Send an event for each of the data, in one transaction."""
        now = self._clock.now()
        await self._ingest.send(
            [NewEvent(id=self._ids.new(), name=name, data=one, ts=now) for one in data]
        )

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()


@asynccontextmanager
async def running(url: str) -> AsyncIterator[tuple[WorkerProcess, Sender]]:
    """A worker's process, and a sender in this one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.engine",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(f"{url}\n".encode())
    worker = WorkerProcess(process)
    await worker.ready.wait()
    sender = Sender(url)
    try:
        yield worker, sender
    finally:
        await sender.close()
        await worker.stop()


if __name__ == "__main__":
    from benchmarks.engine import work_until_closed as main

    collect_less()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
