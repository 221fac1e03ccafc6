"""What a body may wait on besides ctx, and what it is told of all else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import socket
from collections.abc import Callable, Coroutine

import anyio
import anyio.lowlevel
import pytest

from assay.engine.replay import Finished
from assay.errors import AssayError
from properties.replay.harness import finish, start, step

Wait = Callable[[], Coroutine[object, object, object]]


async def _event() -> None:
    event = asyncio.Event()

    async def wake() -> None:
        await step("a")
        event.set()

    await asyncio.gather(event.wait(), wake())


async def _queue() -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()

    async def put() -> None:
        await queue.put(await step("a"))

    await asyncio.gather(queue.get(), put())


async def _barrier() -> None:
    barrier = asyncio.Barrier(2)

    async def meet() -> None:
        await step("a")
        await barrier.wait()

    await asyncio.gather(meet(), barrier.wait())


async def _lock() -> None:
    lock = asyncio.Lock()

    async def hold() -> None:
        async with lock:
            await step("a")

    await asyncio.gather(hold(), hold())


async def _semaphore_and_condition() -> None:
    condition = asyncio.Condition()

    async def notify() -> None:
        async with asyncio.Semaphore(1), condition:
            await step("a")
            condition.notify_all()

    async with condition:
        task = asyncio.create_task(notify())
        await condition.wait()
    await task


async def _sleep_zero() -> None:
    await asyncio.sleep(0)
    await step("a")


async def _shield() -> None:
    await asyncio.shield(step("a"))


async def _no_timeout() -> None:
    async with asyncio.timeout(None):
        await asyncio.wait_for(step("a"), None)


async def _anyio_group() -> None:
    send, receive = anyio.create_memory_object_stream[str](1)

    async def produce() -> None:
        async with send:
            await send.send(await step("a"))

    async with anyio.create_task_group() as group, receive:
        group.start_soon(produce)
        async for _ in receive:
            pass


async def _anyio_cancel() -> None:
    with anyio.CancelScope() as scope:
        await step("a")
        scope.cancel()
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    "wait",
    [
        _event,
        _queue,
        _barrier,
        _lock,
        _semaphore_and_condition,
        _sleep_zero,
        _shield,
        _no_timeout,
        _anyio_group,
        _anyio_cancel,
    ],
)
def test_what_is_made_in_the_body_works(wait: Wait) -> None:
    """Whatever asyncio and anyio do with a ready queue alone."""

    async def body() -> str:
        await wait()
        return "done"

    assert finish(body, "a", "a") == Finished("done", None, None)


async def _sleep() -> None:
    await asyncio.sleep(1)


async def _wait_for() -> None:
    await asyncio.wait_for(step("a"), 1)


async def _anyio_sleep() -> None:
    await anyio.sleep(1)


async def _timeout() -> None:
    async with asyncio.timeout(1):
        await step("a")


async def _wait_with_timeout() -> None:
    await asyncio.wait([asyncio.create_task(step("a"))], timeout=1)


async def _anyio_fail_after() -> None:
    with anyio.fail_after(1):
        await step("a")


@pytest.mark.parametrize(
    "wait",
    [
        _sleep,
        _timeout,
        _wait_for,
        _wait_with_timeout,
        _anyio_sleep,
        _anyio_fail_after,
    ],
)
def test_timers_are_refused_with_the_way_out(wait: Wait) -> None:
    """Sleeping and timing out are ctx's, since no timer outlives a process."""

    async def body() -> str:
        await wait()
        return "done"

    failure = finish(body).failure

    assert failure is not None
    assert (failure.code, failure.retriable) == ("body_io", False)
    assert "ctx.step.sleep" in failure.message
    assert "options(timeout=" in failure.message
    assert __file__ in failure.traceback


async def _executor() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, int)


async def _signals() -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, int)


async def _reader() -> None:
    left, right = socket.socketpair()
    with left, right:
        asyncio.get_running_loop().add_reader(left, int)


@pytest.mark.parametrize(
    "wait",
    [
        lambda: asyncio.open_connection("localhost", 1),
        lambda: asyncio.start_server(lambda _reader, _writer: None, port=0),
        lambda: asyncio.create_subprocess_exec("true"),
        lambda: asyncio.create_subprocess_shell("true"),
        lambda: asyncio.to_thread(int),
        lambda: anyio.getaddrinfo("localhost", 1),
        _executor,
        _signals,
        _reader,
    ],
    ids=[
        "connection",
        "server",
        "subprocess",
        "shell",
        "thread",
        "name lookup",
        "executor",
        "signal",
        "socket",
    ],
)
def test_io_and_threads_are_refused_with_the_way_out(wait: Wait) -> None:
    """The error is raised at the line that asks, and names steps."""

    async def body() -> str:
        await wait()
        return "done"

    failure = finish(body).failure

    assert failure is not None
    assert (failure.code, failure.retriable) == ("body_io", False)
    assert "put it in a step" in failure.message
    assert __file__ in failure.traceback


def test_an_http_client_is_refused() -> None:
    """No library gets around the loop."""
    httpx2 = pytest.importorskip("httpx2")

    async def body() -> str:
        async with httpx2.AsyncClient(trust_env=False) as client:
            await client.get("http://127.0.0.1:9/")
        return "done"

    failure = finish(body).failure

    assert failure is not None
    assert failure.code == "body_io"


def test_a_future_of_the_workers_loop_is_refused_with_a_hint() -> None:
    """Asyncio's own error says nothing of steps."""
    worker = asyncio.new_event_loop()
    foreign = worker.create_future()

    async def body() -> str:
        return str(await foreign)

    failure = finish(body).failure
    worker.close()

    assert failure is not None
    assert (failure.type, failure.code, failure.retriable) == ("RuntimeError", "body_io", False)
    assert "put the rest in a step" in failure.message


def test_a_future_of_the_body_is_not_for_steps() -> None:
    """A step that awaits one fails at once, one that resolves it as well."""
    kept: list[asyncio.Future[str]] = []

    async def body() -> str:
        kept.append(asyncio.get_running_loop().create_future())
        await asyncio.gather(step("a"), kept[0])
        return "done"

    async def wait_in_step() -> None:
        await kept[0]

    replay, _ = start(body)
    replay.begin()

    with pytest.raises(RuntimeError, match="different loop"):
        asyncio.run(wait_in_step())
    with pytest.raises(AssayError, match="let a step return the value") as refused:
        kept[0].set_result("from outside")

    assert refused.value.code == "body_io"
    replay.unwind()


def test_bare_coroutines_in_as_completed_are_refused() -> None:
    """They would start in the order of their addresses."""

    async def body() -> str:
        coroutines: list[Coroutine[object, object, str]] = [step("a"), step("a")]
        for each in asyncio.as_completed(coroutines):
            await each
        return "done"

    failure = finish(body).failure

    assert failure is not None
    assert failure.code == "body_unordered"
    assert "create_task" in failure.message
