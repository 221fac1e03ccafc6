"""Steps that fail: what their bodies see, and when they are tried again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import assay
from boxes import Recorder, finish, start

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


class OutOfStockError(Exception):
    """An error of user code."""


async def test_an_uncaught_step_error_fails_the_run_without_another_body_attempt(
    open_box: OpenBox,
) -> None:
    """The step has had its attempts: the body is not tried again."""
    client, bodies = assay.Client("app"), Recorder()

    def fail() -> None:
        raise assay.NonRetriableError("no")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        bodies.append("")
        await ctx.step.run("s", fail)

    async with open_box(client) as box:
        run = await finish(box)
        assert (run.status, len(bodies)) == ("failed", 1)
        assert run.error is not None
        assert run.error.type == "StepError"


async def test_a_step_error_is_the_same_the_first_time_and_on_replay(open_box: OpenBox) -> None:
    """Its class name, bases, message and data come from the memo both times."""
    client, seen = assay.Client("app"), []

    class WithDataError(OutOfStockError):
        def __init__(self) -> None:
            super().__init__("gone")
            self.data = {"sku": 7}

    def fail() -> None:
        raise WithDataError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        try:
            await ctx.step.options(retries=0).run("s", fail)
        except assay.StepError as error:
            seen.append((error.name, error.failure.bases, error.message, error.failure.data))
        await ctx.step.sleep("nap", "1s")

    async with open_box(client) as box:
        await start(box)
        await box.advance("1s")
        assert len(seen) == 2
        assert seen[0] == seen[1]
        assert (seen[0][0], seen[0][2], seen[0][3]) == ("WithDataError", "gone", '{"sku": 7}')
        assert "OutOfStockError" in seen[0][1]


async def test_errors_makes_a_failure_catchable_by_its_class(open_box: OpenBox) -> None:
    """`options(errors=...)` gives a StepError that is also one of these, on replay too."""
    client, caught = assay.Client("app"), Recorder()

    def fail() -> None:
        raise OutOfStockError("gone")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        try:
            await ctx.step.options(retries=0, errors=(OutOfStockError,)).run("s", fail)
        except OutOfStockError as error:
            caught.append(type(error).__name__)
        await ctx.step.sleep("nap", "1s")

    async with open_box(client) as box:
        await start(box)
        await box.advance("1s")
        assert caught == ["OutOfStockError"] * 2


async def test_a_non_retriable_error_ends_the_attempts(open_box: OpenBox) -> None:
    """After NonRetriableError there is no further attempt."""
    client, tries = assay.Client("app"), Recorder()

    def fail() -> None:
        tries.append("")
        raise assay.NonRetriableError("never")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", fail)

    async with open_box(client) as box:
        assert (await finish(box)).status == "failed"
        assert len(tries) == 1


@pytest.mark.parametrize("after", ["1h", 3600])
async def test_a_retry_after_error_says_when_the_next_attempt_is(
    open_box: OpenBox, after: str | int
) -> None:
    """The next attempt starts no earlier than it says."""
    client, tries = assay.Client("app"), Recorder()

    def busy() -> str:
        tries.append("")
        if len(tries) == 1:
            raise assay.RetryAfterError("busy", after)
        return "ok"

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        return await ctx.step.run("s", busy)

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("59m")
        assert len(tries) == 1
        await box.advance("1m")
        assert (await box.finished(run)).output == "ok"


async def test_a_retry_after_error_that_says_no_time_waits_as_usual(open_box: OpenBox) -> None:
    """A slip in an error must not leave a run hanging."""
    client, tries = assay.Client("app"), Recorder()

    def busy() -> str:
        tries.append("")
        if len(tries) == 1:
            raise assay.RetryAfterError("busy", "soon")
        return "ok"

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        return await ctx.step.run("s", busy)

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("15s")
        assert (await box.finished(run)).output == "ok"


async def test_a_step_that_takes_too_long_fails_with_its_timeout(open_box: OpenBox) -> None:
    """`options(timeout=)` limits each attempt, by the clock of the engine."""
    client, begun = assay.Client("app"), asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.options(retries=0, timeout="30s").run("s", hang)
        except assay.StepError as error:
            return error.code
        return ""

    async with open_box(client) as box:
        run = await start(box)
        await box.until(begun.is_set)
        box.move("30s")
        assert (await box.finished(run)).output == "step_timeout"


async def test_stop_iteration_in_a_sync_step_is_a_failure(open_box: OpenBox) -> None:
    """A future can't hold it; the step fails like any other."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.options(retries=0).run("s", lambda: next(iter(())))
        except assay.StepError as error:
            return error.name
        return ""

    async with open_box(client) as box:
        assert (await finish(box)).output == "RuntimeError"


async def test_a_step_whose_own_task_was_cancelled_is_a_failure(open_box: OpenBox) -> None:
    """A CancelledError that nobody asked the step for is what its code raised."""
    client = assay.Client("app")

    async def careless() -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.options(retries=0).run("s", careless)
        except assay.StepError as error:
            return error.name
        return ""

    async with open_box(client) as box:
        assert (await finish(box)).output == "CancelledError"


async def test_a_step_inside_a_step_is_an_error(open_box: OpenBox) -> None:
    """A step is one unit of work."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        async def outer() -> str:
            return await ctx.step.run("inner", lambda: "no")

        try:
            return await ctx.step.run("outer", outer)
        except assay.StepError as error:
            return error.code

    async with open_box(client) as box:
        assert (await finish(box)).output == "step_in_step"
