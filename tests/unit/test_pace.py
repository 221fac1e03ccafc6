"""The pace of claims: woken for each run while they are few, by itself while they are many."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.clock import DatabaseClock
from assay.engine.options import WorkerOptions
from assay.engine.pace import FEW, Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

LONG_S = 30.0


class Paced:
    """A pace with what it has flagged."""

    def __init__(self, *, due_in_s: float | None = None, idle_s: float = LONG_S) -> None:
        self.clock = DatabaseClock()
        self._began = self.clock.now()
        self.flags: list[bool] = []
        self.wake = asyncio.Event()
        self._due_in_s = due_in_s
        self.pace = Pace(
            self.wake,
            options=WorkerOptions(concurrency=100, pause_s=0.001, idle_s=idle_s),
            clock=self.clock,
            flag=self._flag,
            next_due=self._next_due,
        )

    async def _flag(self, idle: bool) -> None:  # noqa: FBT001 - as the pace asks for it
        self.flags.append(idle)

    async def _next_due(self, horizon: datetime) -> datetime | None:
        assert horizon > self._began
        if self._due_in_s is None:
            return None
        return self.clock.now() + timedelta(seconds=self._due_in_s)

    async def idle(self) -> None:
        """Claims that find nothing until it is flagged as idle."""
        while self.flags[-1:] != [True]:
            await self.pace.pause(0, 0)

    async def hinted(self, claimed: int, live: int) -> None:
        """A claim of an idle worker that was woken for it."""
        self.wake.set()
        await self.pace.pause(claimed, live)


def timed(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """An async test that ends long before the longest pause."""

    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), LONG_S / 3))

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


@timed
async def test_idle_after_a_few_claims_that_find_nothing() -> None:
    """One that finds something begins the count anew."""
    paced = Paced()
    for claimed in [0] * (FEW - 1) + [1] + [0] * (FEW - 1):
        await paced.pace.pause(claimed, 0)
    before = list(paced.flags)
    await paced.pace.pause(0, 0)

    assert before == []
    assert paced.flags == [True]


@timed
async def test_runs_one_after_the_other_leave_it_idle() -> None:
    """Each is over before the next is claimed: it is woken for every one."""
    paced = Paced()
    await paced.idle()
    for _ in range(5 * FEW):
        await paced.hinted(1, 1)

    assert paced.flags == [True]


@timed
async def test_runs_one_after_the_other_make_it_idle() -> None:
    """Where it looks by itself, each of them would wait for its pause."""
    paced = Paced()
    for _ in range(FEW):
        await paced.pace.pause(1, 1)

    assert paced.flags == [True]


@timed
async def test_runs_that_overlap_make_it_look_by_itself() -> None:
    """It claims one while others are live, again and again."""
    paced = Paced()
    await paced.idle()
    for _ in range(FEW):
        await paced.hinted(1, 2)

    assert paced.flags == [True, False]


@timed
async def test_many_at_once_make_it_look_by_itself() -> None:
    """More than a few in one claim."""
    paced = Paced()
    await paced.idle()
    await paced.hinted(FEW + 1, FEW + 1)

    assert paced.flags == [True, False]


@timed
async def test_a_full_worker_waits_until_a_run_has_left() -> None:
    """It looks for nothing, and is not woken for what it has no room for."""
    paced = Paced()
    await paced.idle()
    await paced.hinted(1, 100)
    paced.wake.clear()
    waiting = asyncio.create_task(paced.pace.pause(0, 100))
    await asyncio.sleep(0)
    is_waiting = not waiting.done()
    paced.wake.set()
    await waiting

    assert is_waiting
    assert paced.flags == [True, False]


@timed
async def test_an_idle_worker_looks_when_a_turn_falls_due() -> None:
    """Without a hint, long before its longest pause."""
    paced = Paced(due_in_s=0.01)
    await paced.idle()
    await paced.pace.pause(0, 0)

    assert not paced.wake.is_set()


@timed
async def test_an_idle_worker_looks_from_time_to_time() -> None:
    """Hints may be lost."""
    paced = Paced(idle_s=0.01)
    await paced.idle()
    await paced.pace.pause(0, 0)

    assert not paced.wake.is_set()
