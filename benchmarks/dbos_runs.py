"""DBOS on the same PostgreSQL: one-step workflows, 200 in flight; in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

from dbos import DBOS

IN_FLIGHT = 200


def dbos_per_second(url: str, *, count: int) -> float:
    """One-step workflows a second."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.dbos_runs", str(count)],
        input=url,
        capture_output=True,
        text=True,
        check=True,
    )
    rate: float = json.loads(done.stdout.splitlines()[-1])
    return rate


async def _measure(count: int) -> float:
    @DBOS.step()
    async def work(value: int) -> str:
        return f"done {value}"

    @DBOS.workflow()
    async def one_step(value: int) -> str:
        return await work(value)

    DBOS.launch()
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(value: int) -> None:
        async with room:
            handle = await DBOS.start_workflow_async(one_step, value)
            await handle.get_result()

    await asyncio.gather(*[one(value) for value in range(20)])
    started = time.perf_counter()
    await asyncio.gather(*[one(value) for value in range(count)])
    return count / (time.perf_counter() - started)


def _main() -> None:
    DBOS(
        config={
            "name": "bench",
            "system_database_url": sys.stdin.read(),
            "log_level": "ERROR",
        }
    )
    rate = asyncio.run(_measure(int(sys.argv[1])))
    print(json.dumps(rate), flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    _main()
