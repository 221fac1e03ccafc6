"""How a body ends when its run parks: leaf first, in order of asking, whatever it does."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.engine.replay import coroutines
from assay.errors import Parked
from properties.replay.harness import Body, Life, note, start, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def park(body: Body) -> Life:
    """Begin and park."""
    replay, life = start(body)
    replay.begin()
    replay.unwind()
    replay.unwind()
    assert not replay.leaked
    return life


def test_asks_are_parked_in_their_order_and_children_before_parents() -> None:
    """A parent's clean-up sees its children ended."""

    async def child(name: str) -> None:
        try:
            await step(name)
        finally:
            note(name)

    async def body() -> str:
        try:
            await asyncio.gather(child("a"), child("b"), child("c"))
        finally:
            note("parent")
        return "never"

    assert park(body).log == ["a", "b", "c", "parent"]


def test_a_park_before_the_first_pump_does_nothing() -> None:
    """The body is never started."""

    async def body() -> str:
        note("started")
        return "done"

    replay, life = start(body)
    replay.unwind()

    assert life.log == []
    assert not replay.leaked


def test_ctx_calls_while_parking_raise_parked_again() -> None:
    """Clean-up that asks writes nothing."""

    async def body() -> str:
        try:
            await step("a")
        finally:
            try:
                await step("clean-up")
            except Parked:
                note("parked again")
                raise
        return "never"

    assert park(body).log == ["parked again"]


def test_parked_is_not_caught_as_an_exception() -> None:
    """`except Exception` around a wait goes on working."""

    async def body() -> str:
        try:
            await step("a")
        except Exception:  # noqa: BLE001 - what this is about
            note("caught")
        return "never"

    assert park(body).log == []


async def _swallow() -> str:
    while True:
        with suppress(BaseException):
            await step("a")


async def _spin() -> str:
    while True:
        with suppress(BaseException):
            await asyncio.sleep(0)


@pytest.mark.parametrize("body", [_swallow, _spin])
def test_a_body_that_swallows_parked_is_reported_and_kept(body: Body) -> None:
    """It neither blocks the worker nor is collected inside another run."""
    replay, _ = start(body)
    replay.begin()
    replay.unwind()

    assert "does not end" in replay.leaked
    assert __file__ in replay.leaked
    assert replay in coroutines._leaks


def test_many_branches_may_each_ask_while_they_end() -> None:
    """What counts as swallowing is counted by task."""

    async def branch() -> None:
        try:
            await step("a")
        finally:
            await step("clean-up")

    async def body() -> str:
        await asyncio.gather(*[branch() for _ in range(500)])
        return "never"

    park(body)


def test_a_body_that_returns_after_parked_is_ignored() -> None:
    """`gather(return_exceptions=True)` makes a result of it."""

    async def body() -> str:
        results = await asyncio.gather(step("a"), step("b"), return_exceptions=True)
        note(",".join(type(each).__name__ for each in results))
        return "returned"

    assert park(body).log == ["Parked,Parked"]


def test_a_group_of_parked_is_unwound() -> None:
    """TaskGroup wraps it: nothing looks at it."""

    async def body() -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(step("a"))
            group.create_task(step("b"))
        return "never"

    park(body)


def test_events_queues_and_locks_are_unwound_after_what_was_asked() -> None:
    """Tasks that wait for other things of the body end as well."""

    async def shielded() -> None:
        await asyncio.shield(step("a"))

    async def wait(name: str, event: asyncio.Event) -> None:
        try:
            await event.wait()
        finally:
            note(name)

    async def body() -> str:
        event, queue = asyncio.Event(), asyncio.Queue[str]()
        async with asyncio.TaskGroup() as group:
            group.create_task(wait("event", event))
            group.create_task(queue.get())
            group.create_task(shielded())
            await step("b")
        return "never"

    assert park(body).log == ["event"]


def test_open_generators_are_closed() -> None:
    """Also those that a `break` left behind."""

    async def generate() -> AsyncIterator[str]:
        try:
            yield "first"
            yield "second"
        finally:
            note("closed")

    async def body() -> str:
        async for _ in generate():
            break
        gc.collect()
        note("asked")
        return await step("a")

    assert park(body).log == ["asked", "closed"]


def test_a_forgotten_task_ends_with_its_run() -> None:
    """It is unwound when the body has finished, too."""

    async def forgotten() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            note("ended")

    async def body() -> str:
        task = asyncio.create_task(forgotten())
        del task
        await asyncio.sleep(0)
        gc.collect()
        note("done")
        return "done"

    replay, life = start(body)
    turn = replay.begin()
    assert turn.finished is not None
    replay.unwind()

    assert life.log == ["done", "ended"]


def test_clean_up_sees_the_context_variables_of_its_task() -> None:
    """Unwinding runs in the contexts that the tasks have."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def branch(value: str) -> None:
        variable.set(value)
        try:
            await step("a")
        finally:
            note(variable.get())

    async def body() -> str:
        await asyncio.gather(branch("one"), branch("two"))
        return "never"

    assert park(body).log == ["one", "two"]


_STORM = """
import asyncio, gc, resource
from properties.replay.harness import start, step

async def child():
    try:
        await step("b")
    finally:
        async with asyncio.TaskGroup() as group:
            group.create_task(step("c"))

async def body():
    forgotten = asyncio.create_task(child())
    async with asyncio.TaskGroup() as group:
        group.create_task(child())
        await asyncio.gather(step("a"), asyncio.Event().wait())

def storm(times):
    for _ in range(times):
        replay, _ = start(body)
        replay.begin()
        replay.unwind()
        assert not replay.leaked
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = storm(500)
print(storm(3_000) - before)
"""


def test_a_storm_of_parkings_leaves_nothing_behind() -> None:
    """Neither memory nor a word on standard error."""
    tests = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", _STORM],
        env={"PYTHONPATH": tests},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stderr == ""
    assert int(ended.stdout) < 2_000
