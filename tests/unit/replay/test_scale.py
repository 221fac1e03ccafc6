"""Deep and wide bodies, and what a replayed step costs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from assay.engine.replay import Finished
from properties.replay.harness import World, entry, start, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


async def _gathered(depth: int) -> str:
    if depth == 0:
        return await step("a", "leaf")
    result, _ = await asyncio.gather(_gathered(depth - 1), _side(depth))
    return result


async def _grouped(depth: int) -> str:
    if depth == 0:
        return await step("a", "leaf")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_grouped(depth - 1))
        group.create_task(_side(depth))
    return task.result()


async def _one() -> AsyncIterator[int]:
    yield 1


async def _side(depth: int) -> str:
    # Only now and then: the order of asking must not depend on depth.
    return await step("a", f"side{depth}") if depth % 7 == 0 else "nothing"


@pytest.mark.parametrize("nest", [_gathered, _grouped])
@pytest.mark.parametrize("depth", [20, 300])
def test_depth_crosses_no_memos(nest: Callable[[int], Awaitable[str]], depth: int) -> None:
    """Settled means settled, however many rounds of callbacks it takes."""

    async def body() -> str:
        return await nest(depth)

    World(lambda entries: start(body, entries), [26, 11, 5, 41, 36, 10, 91]).run()


def test_ten_thousand_branches_replay_and_park() -> None:
    """No cap on callbacks stands in their way."""
    names = [f"s{n}" for n in range(10_000)]

    async def body() -> str:
        results: list[str] = await asyncio.gather(*[step(name) for name in names])
        return str(len(results))

    parked, _ = start(body)
    turn = parked.begin()
    parked.unwind()
    replayed, _ = start(body, [entry(name, seq=place) for place, name in enumerate(names, 1)])
    finished = replayed.begin().finished
    replayed.unwind()

    assert names == [asked.operation.name for asked in turn.asks]
    assert not parked.leaked
    assert Finished("10000", None, None) == finished


def test_many_short_tasks_and_generators_are_let_go() -> None:
    """What has ended is not kept until the run ends."""

    async def count() -> int:
        return 1

    async def body() -> str:
        total = 0
        for _ in range(500):
            total += await asyncio.create_task(count())
            total += sum([each async for each in _one()])
        return str(total)

    replay, _ = start(body)
    finished = replay.begin().finished
    kept = len(replay._loop._tasks) + len(replay._loop._generators)
    replay.unwind()

    assert Finished("1000", None, None) == finished
    assert kept < 200
