"""What a worker does from time to time."""

from __future__ import annotations

import asyncio

from assay.engine.chores import Chore

LONG_S = 3_600.0


def test_a_chore_that_goes_wrong_is_done_again() -> None:
    """Whatever went wrong."""

    async def tried() -> None:
        times = asyncio.Semaphore(0)

        async def fail() -> None:
            times.release()
            raise ValueError

        running = asyncio.create_task(Chore("failing", fail, every_s=0.0).run())
        for _ in range(3):
            await times.acquire()
        running.cancel()

    asyncio.run(tried())


def test_a_chore_that_is_poked_is_done_at_once() -> None:
    """It does not wait for its time."""

    async def poked() -> None:
        times = asyncio.Semaphore(0)

        async def note() -> None:
            times.release()

        chore = Chore("noting", note, every_s=LONG_S)
        running = asyncio.create_task(chore.run())
        for _ in range(3):
            await times.acquire()
            chore.poke()
        running.cancel()

    asyncio.run(poked())
