"""What idleness costs, and how soon an idle worker begins."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
from benchmarks.place import cpu_s, installed
from benchmarks.table import limit_line

if TYPE_CHECKING:
    from benchmarks.engine import Sender, WorkerProcess
    from benchmarks.place import Place
    from benchmarks.table import Line

SETTLE_S = 0.05
BATCH = 500


async def latency(worker: WorkerProcess, sender: Sender, *, times: int) -> list[Line]:
    """From an event's sending until the body is entered, on an idle worker."""
    ms = sorted([await _delay_ms(worker, sender, "bench/enter", {}) for _ in range(times)][5:])
    middle, late = ms[len(ms) // 2], ms[int(len(ms) * 0.99)]
    figure = f"{len(ms)} events, worst {ms[-1]:.1f} ms"
    name = "event sent to body entered, idle worker"
    return [
        limit_line(f"{name}: p50", middle, gate=5, unit="ms", figure=figure),
        limit_line(f"{name}: p99", late, gate=25, unit="ms"),
    ]


async def parked(
    place: Place, worker: WorkerProcess, sender: Sender, *, count: int, idle_s: float, times: int
) -> list[Line]:
    """What parked waits cost, and how soon one of them goes on."""
    first = worker.ended
    warm = count // 10
    await _park(worker, sender, range(warm))
    before = psutil.Process(worker.pid).memory_info().rss
    started = time.perf_counter()
    await _park(worker, sender, range(warm, count))
    rate = (count - warm) / (time.perf_counter() - started)
    assert worker.ended == first + count
    # What autovacuum would do at a minute of its choice belongs to the parking, not to the waiting.
    await asyncio.to_thread(place.vacuum)
    await asyncio.sleep(3)
    each = (psutil.Process(worker.pid).memory_info().rss - before) / (count - warm)
    cpu, base, started = cpu_s(worker.pid), place.postgres_cpu_s(), time.perf_counter()
    await asyncio.sleep(idle_s)
    spent = time.perf_counter() - started
    shares = (
        (cpu_s(worker.pid) - cpu) / spent * 100,
        (place.postgres_cpu_s() - base) / spent * 100,
    )
    ms = sorted(
        [
            await _delay_ms(worker, sender, "bench/go", {"number": number * 7})
            for number in range(times)
        ]
    )
    name = f"{count:,} parked waits"
    over = f"over {idle_s:g} s, parked at {rate:,.0f}/s"
    core = "% of a core"
    middle, worst = ms[len(ms) // 2], f"worst {ms[-1]:.1f} ms"
    return [
        limit_line(f"{name}: worker, idle", shares[0], gate=0.5, unit=core, figure=over),
        limit_line(f"{name}: PostgreSQL, idle", shares[1], gate=1, unit=core, figure=over),
        limit_line(f"{name}: worker memory each", max(each, 0), gate=200, unit="bytes"),
        limit_line(f"{name}: an event resumes one, p50", middle, gate=10, unit="ms", figure=worst),
    ]


async def _park(worker: WorkerProcess, sender: Sender, numbers: range) -> None:
    first = worker.ended
    for start in range(0, len(numbers), BATCH):
        await worker.until_ended(first + start - 4 * BATCH)
        await sender.send(
            "bench/park",
            *[json.dumps({"number": number}) for number in numbers[start : start + BATCH]],
        )
    await worker.until_ended(first + len(numbers))


async def _delay_ms(
    worker: WorkerProcess, sender: Sender, name: str, data: dict[str, object]
) -> float:
    await asyncio.sleep(SETTLE_S)
    sent = time.time()  # noqa: TID251 - compared with another process of this machine
    await sender.send(name, json.dumps(data))
    return (await worker.instants.get() - sent) * 1000


def import_cost(python: str, *, times: int) -> Line:
    """CPU seconds of importing assay, making a client and decorating a function."""
    code = (
        "import assay, os, sys\n"
        "client = assay.Client('a')\n"
        "@client.function('f', on='x')\n"
        "async def f(ctx: assay.Context) -> str: return ''\n"
        "heavy = {'fastapi', 'numpy', 'psycopg'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "spent = os.times()\n"
        "print(spent.user + spent.system)"
    )
    with installed() as environment:
        spent = sorted(
            [
                float(subprocess.check_output([python, "-c", code], env=environment))
                for _ in range(times + 1)
            ][1:]
        )
    return limit_line(
        "import assay, a client, a function",
        spent[len(spent) // 2],
        gate=0.35,
        unit="s",
        figure="CPU, interpreter included; no FastAPI, numpy, psycopg",
    )
