"""How many runs and steps a second, in pairs with the floor."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Self

import uvloop
from benchmarks.engine import Sender
from benchmarks.place import cpu_s
from benchmarks.table import Line, ratio_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.engine import WorkerProcess
    from benchmarks.place import Floor, Place

IN_FLIGHT = 200
BATCH = 50


async def rates(
    place: Place, floor: Floor, worker: WorkerProcess, sender: Sender, *, pairs: int, scale: float
) -> list[Line]:
    """The lines about rates; *scale* is 1 for measurements that last."""

    async def measured(
        name: str, gate: float, count: int, work: Callable[[int], Awaitable[None]]
    ) -> Line:
        await work(max(10, count // 10))
        found = []
        spent = [0.0, 0.0]
        for _ in range(pairs):
            base = floor.per_second(max(0.2, scale))
            before = cpu_s(worker.pid), place.postgres_cpu_s()
            started = time.perf_counter()
            await work(count)
            found.append((count / (time.perf_counter() - started), base))
            spent[0] += cpu_s(worker.pid) - before[0]
            spent[1] += place.postgres_cpu_s() - before[1]
        each_us = [round(seconds / count / pairs * 1e6) for seconds in spent]
        cpu = f"CPU each: worker {each_us[0]:,} µs, PostgreSQL {each_us[1]:,} µs"
        return ratio_line(name, found, gate=gate, note=cpu)

    async def many(name: str, count: int) -> None:
        first, sent = worker.ended, 0
        while sent < count:
            size = min(BATCH, count - sent)
            await worker.until_ended(first + sent + size - IN_FLIGHT)
            await sender.send(name, *["{}"] * size)
            sent += size
        await worker.until_ended(first + count)

    async def one_by_one(count: int) -> None:
        for _ in range(count):
            first = worker.ended
            await sender.send("bench/one", "{}")
            await worker.until_ended(first + 1)

    async def alone(count: int) -> None:
        first = worker.ended
        other.send(count)
        await worker.until_ended(first + count)

    async def steps(count: int) -> None:
        first = worker.ended
        await sender.send("bench/sequence", json.dumps({"steps": count}))
        await worker.until_ended(first + 1)

    count = int(6_000 * scale)
    other = await OtherSender.started(place.url)
    lines = [
        await measured("one-step runs, 200 in flight", 3, count, lambda n: many("bench/one", n)),
        await measured("the same, memos of 2 kB", 1, count, lambda n: many("bench/large", n)),
        await measured("one event a transaction, another process", 0.5, count // 2, alone),
        await measured("strictly one run at a time", 0.3, int(600 * scale), one_by_one),
        await measured("1,000 sequential steps", 0.5, 1_000, steps),
        await flatness(steps, pairs),
    ]
    await other.stop()
    return lines


class OtherSender:
    """A process that sends events, one a transaction; its start is no part of a rate."""

    def __init__(self, process: asyncio.subprocess.Process, orders: asyncio.StreamWriter) -> None:
        self._process = process
        self._orders = orders

    @classmethod
    async def started(cls, url: str) -> Self:
        """Start it, and wait until it could send."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.rates",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{url}\n".encode())
        await process.stdout.readline()
        return cls(process, process.stdin)

    def send(self, count: int) -> None:
        """Have it send as many."""
        self._orders.write(f"{count}\n".encode())

    async def stop(self) -> None:
        """End it."""
        self._orders.close()
        await self._process.wait()


async def flatness(steps: Callable[[int], Awaitable[None]], pairs: int) -> Line:
    """What a step costs in a run of 1,000 beside one in runs of 100 and of 10."""
    found: dict[int, list[float]] = {10: [], 100: [], 1_000: []}
    for _ in range(pairs):
        for count, spent in found.items():
            repeats = 5 if count == 10 else 1
            started = time.perf_counter()
            for _ in range(repeats):
                await steps(count)
            spent.append((time.perf_counter() - started) / count / repeats * 1000)
    ms = {count: median(spent) for count, spent in found.items()}
    return Line(
        name="a step in a run of 1,000 beside one in a run of 10",
        figure=", ".join(f"{count}: {each:.2f} ms" for count, each in ms.items()),
        value=ms[1_000] / ms[10],
        gate=1.2,
        is_limit=True,
    )


async def _send_alone() -> None:
    """Send one event after the other, as many as each line of stdin says, after one of the URL."""
    loop = asyncio.get_running_loop()
    sender = Sender((await loop.run_in_executor(None, sys.stdin.readline)).strip())
    print("ready", flush=True)
    while count := await loop.run_in_executor(None, sys.stdin.readline):
        for _ in range(int(count)):
            await sender.send("bench/one", "{}")
    await sender.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_send_alone())
