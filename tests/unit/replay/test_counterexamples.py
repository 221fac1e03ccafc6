"""Bodies that went wrong with other designs, each with the rule that mends it."""

from __future__ import annotations

import asyncio
import gc
import uuid
from typing import TYPE_CHECKING

import pytest

from properties.replay.harness import World, entries_of, entry, note, start, step

if TYPE_CHECKING:
    from assay.model.journal import Entry


def test_as_completed_over_tasks_asks_in_order() -> None:
    """Tasks, unlike bare coroutines, keep their order in asyncio's sets."""

    async def body() -> str:
        tasks: list[asyncio.Task[str]] = [
            asyncio.create_task(step("a", f"task{n}")) for n in range(9)
        ]
        return ",".join([await each for each in asyncio.as_completed(tasks)])

    life = World(lambda entries: start(body, entries), [46, 31, 26, 11, 41, 5, 36]).run()

    assert [("a", f"task{n}") for n in range(9)] == life.asked


@pytest.mark.parametrize("schedule", [[1], [6], [1, 5], [6, 10]])
def test_results_of_wait_come_in_the_same_order(schedule: list[int]) -> None:
    """The set that `asyncio.wait` returns goes by the run's own counter."""

    async def one() -> str:
        return await step("a", "one")

    async def other() -> str:
        await asyncio.sleep(0)
        return await step("a", "other")

    async def body() -> str:
        tasks = [asyncio.create_task(one()), asyncio.create_task(other())]
        done, pending = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
        return ",".join([await each for each in (*done, *pending)])

    World(lambda entries: start(body, entries), schedule).run()


def test_a_group_cancels_its_children_in_the_same_order() -> None:
    """Each child asks once more in its `finally`: under a repeated id the order is all."""

    async def child(place: int) -> None:
        try:
            await step("b", f"child{place}")
        finally:
            await step("c", f"finally{place}")

    async def body() -> str:
        async with asyncio.TaskGroup() as group:
            for place in range(12):
                group.create_task(child(place))
            await step("fail", "failing")
        return "never"

    # The failing step is committed first: all children are cancelled together.
    life = World(lambda entries: start(body, entries), [1]).run()
    cancelled = [site for _, site in life.asked if site.startswith("finally")]

    assert sorted(cancelled, key=lambda site: int(site[7:])) == cancelled


def test_a_dropped_run_does_not_reach_into_another() -> None:
    """All of a run ends in its own unwinding, nothing in the pump of a neighbour."""

    async def child() -> None:
        try:
            await step("a")
        finally:
            note("child ended")
            async with asyncio.TaskGroup() as group:
                group.create_task(step("b"))

    async def dropped() -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
        return "never"

    async def neighbour() -> str:
        gc.collect()
        first = await step("x")
        gc.collect()
        return first + await step("y")

    replay, life = start(dropped)
    replay.begin()
    replay.unwind()
    assert "child ended" in life.log
    del replay, life

    other, _ = start(neighbour, entries_of("x", "y"), run_id=uuid.UUID(int=7))
    finished = other.begin().finished
    other.unwind()

    assert finished is not None
    assert finished.output == "11"


def _two_waits() -> list[list[Entry]]:
    first, second = entry("w1", seq=1, output="first"), entry("w2", seq=2, output="second")
    return [
        [first, second],
        [entry("w2", seq=1, output="second"), entry("w1", seq=2, output="first")],
    ]


@pytest.mark.parametrize(
    ("journal", "fetches"), list(zip(_two_waits(), ["w1w2", "w2w1"], strict=True))
)
def test_the_journal_orders_waits_resolved_together(journal: list[Entry], fetches: str) -> None:
    """Which branch gets which use of a repeated id follows from the journal alone."""

    async def branch(name: str) -> None:
        await step(name)
        await step("fetch", name)

    async def body() -> str:
        await asyncio.gather(branch("w1"), branch("w2"))
        return "done"

    replay, life = start(body, journal)
    turn = replay.begin()
    replay.unwind()

    assert fetches == "".join(site for name, site in life.asked if name == "fetch")
    assert [asked.index for asked in turn.asks] == [0, 1]
