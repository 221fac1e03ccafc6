"""Bodies that nothing can wake, and bodies that never come to rest."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading

from assay.engine.replay import ReplayLimits
from properties.replay.harness import finish, start, step


def test_a_body_that_nothing_can_wake_is_stuck_at_a_line() -> None:
    """An event that is never set."""

    async def body() -> str:
        await asyncio.Event().wait()
        return "done"

    failure = finish(body).failure

    assert failure is not None
    assert (failure.code, failure.retriable) == ("body_stuck", False)
    assert f"{__file__}:" in failure.message
    assert "body" in failure.message


def test_an_abandoned_step_alone_keeps_no_body_alive() -> None:
    """What was cancelled wakes nobody."""

    async def body() -> str:
        task: asyncio.Task[str] = asyncio.create_task(step("a"))
        await step("b")
        task.cancel()
        await asyncio.Event().wait()
        return "done"

    failure = finish(body, "b").failure

    assert failure is not None
    assert failure.code == "body_stuck"


def test_a_lock_held_by_another_run_is_stuck() -> None:
    """A global asyncio.Lock is of no use to a body."""
    lock = asyncio.Lock()

    async def body() -> str:
        async with lock:
            return await step("a")

    holder, _ = start(body)
    holder.begin()
    failure = finish(body).failure
    holder.unwind()

    assert failure is not None
    assert failure.code in {"body_stuck", "body_io"}


def test_a_wake_from_a_thread_fails_there_and_is_named() -> None:
    """`wrap_future` never resolves; `body_stuck` says what tried to."""
    source: concurrent.futures.Future[str] = concurrent.futures.Future()
    woken: list[str] = []

    async def body() -> str:
        loop = asyncio.get_running_loop()

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(source.set_result, "late")
            except Exception as error:  # noqa: BLE001 - what it is is asserted
                woken.append(str(error))

        thread = threading.Thread(target=wake)
        thread.start()
        thread.join()
        return await asyncio.wrap_future(source)

    failure = finish(body).failure

    assert failure is not None
    assert failure.code == "body_stuck"
    assert "set_result" in failure.message
    assert "from outside the body" in woken[0]


def test_a_body_that_spins_never_settles() -> None:
    """Polling blocks the worker: it is cut short, and its line named."""

    async def body() -> str:
        task: asyncio.Task[str] = asyncio.create_task(step("a"))
        while not task.done():  # noqa: ASYNC110 - the fault that this is about
            await asyncio.sleep(0)
        return "done"

    failure = finish(body, limits=ReplayLimits(callbacks_per_pump=1_000)).failure

    assert failure is not None
    assert (failure.code, failure.retriable) == ("body_never_settles", False)
    assert __file__ in failure.message


def test_a_body_that_spins_for_too_long_never_settles() -> None:
    """Time counts as well as callbacks."""
    readings = iter(range(1_000_000))

    async def body() -> str:
        while True:  # noqa: ASYNC110 - the fault that this is about
            await asyncio.sleep(0)

    replay, _ = start(
        body, limits=ReplayLimits(callbacks_per_pump=1_000_000, seconds_per_pump=10.0)
    )
    replay._loop._monotonic = lambda: float(next(readings))
    finished = replay.begin().finished

    assert finished is not None
    assert finished.failure is not None
    assert finished.failure.code == "body_never_settles"
