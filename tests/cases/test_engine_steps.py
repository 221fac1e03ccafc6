"""Steps: memos, attempts, errors, limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import assay
from boxes import Recorder, finish, start, step

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


class OutOfStockError(Exception):
    """An error of user code."""


async def test_a_step_runs_once_however_often_its_body_is_replayed(open_box: OpenBox) -> None:
    """The memo is recorded once, and replay gives it back without running the step."""
    client, done = assay.Client("app"), Recorder()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        first = await ctx.step.run("first", done.note, "first")
        await ctx.step.sleep("nap", "1h")
        return first + await ctx.step.run("second", done.note, "second")

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        assert (await box.finished(run)).output == "firstsecond"
        assert done == ["first", "second"]


async def test_a_repeated_id_has_a_memo_for_each_use(open_box: OpenBox) -> None:
    """The second use of an id in a run is a step of its own, by its index."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[int]:
        return [await ctx.step.run("s", pow, n, 2) for n in range(3)]

    async with open_box(client) as box:
        run = await finish(box)
        assert run.output == [0, 1, 4]
        assert [one.index for one in run.steps] == [0, 1, 2]


async def test_a_failed_attempt_is_tried_again_after_the_backoff(open_box: OpenBox) -> None:
    """15 s after the first failure, 30 s after the second; the attempts are kept."""
    client, tries = assay.Client("app"), Recorder()

    def flaky() -> str:
        tries.append("")
        if len(tries) < 3:
            raise OutOfStockError
        return "ok"

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        return await ctx.step.run("s", flaky)

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("14s")
        assert len(tries) == 1
        await box.advance("1s")
        assert len(tries) == 2
        await box.advance("30s")
        ended = await box.finished(run)
        assert ended.output == "ok"
        assert [a.status for a in step(ended, "s").attempts] == ["failed", "failed", "completed"]


async def test_a_step_has_five_attempts_unless_told_otherwise(open_box: OpenBox) -> None:
    """The default of 4 retries makes 5 attempts; then the error reaches the body."""
    client, tries = assay.Client("app"), Recorder()

    def fail() -> None:
        tries.append("")
        raise OutOfStockError("none left")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.run("s", fail)
        except assay.StepError as error:
            return f"{error.name}: {error.message}"
        return ""

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        assert (await box.finished(run)).output == "OutOfStockError: none left"
        assert len(tries) == 5


async def test_options_say_how_often_a_step_is_tried(open_box: OpenBox) -> None:
    """With no retries one attempt is all."""
    client, tries = assay.Client("app"), Recorder()

    def fail() -> None:
        tries.append("")
        raise OutOfStockError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.options(retries=0).run("s", fail)

    async with open_box(client) as box:
        run = await finish(box)
        assert (run.status, len(tries)) == ("failed", 1)


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


async def test_current_step_tells_a_step_where_it_runs(open_box: OpenBox) -> None:
    """Id, index and attempt; the idempotency key is the same for each attempt of a step."""
    client, seen = assay.Client("app"), []

    def look() -> None:
        current = assay.current_step()
        seen.append((current.id, current.index, current.attempt, current.idempotency_key))
        if current.attempt == 1:
            raise OutOfStockError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", look)
        await ctx.step.run("s", look)

    async with open_box(client) as box:
        await start(box)
        await box.advance("1m")
        assert [one[:3] for one in seen] == [("s", 0, 1), ("s", 0, 2), ("s", 1, 1), ("s", 1, 2)]
        assert seen[0][3] == seen[1][3] != seen[2][3] == seen[3][3]


async def test_a_step_output_over_the_limit_fails_the_step(open_box: OpenBox) -> None:
    """The error names the size; it is not tried again."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.run("s", lambda: "x" * 200)
        except assay.StepError as error:
            return error.code
        return ""

    async with open_box(client, max_output_bytes=100) as box:
        assert (await finish(box)).output == "step_output_too_large"


async def test_a_run_output_over_the_limit_fails_the_run(open_box: OpenBox) -> None:
    """What a run returns has the same limit, counted in bytes."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> str:
        return "é" * 60

    async with open_box(client, max_output_bytes=100) as box:
        run = await finish(box)
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "run_output_too_large")


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_run_may_ask_for_so_many_steps_and_no_more(
    open_box: OpenBox, *, is_parallel: bool
) -> None:
    """The limit holds for steps one after the other and for steps at once."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        n = ctx.event.data["n"]
        if is_parallel:
            await asyncio.gather(*(ctx.step.run(f"s{i}", lambda: 1) for i in range(n)))
        else:
            for i in range(n):
                await ctx.step.run(f"s{i}", lambda: 1)
        return n  # type: ignore[no-any-return]

    async with open_box(client, max_steps=10) as box:
        assert (await finish(box, data={"n": 10})).output == 10
        run = await finish(box, data={"n": 11})
        assert run.error is not None
        assert run.error.code == "too_many_steps"


async def test_steps_of_sync_functions_and_sync_steps_run_in_threads(open_box: OpenBox) -> None:
    """A `def` body gets a SyncContext; its parallel takes callables."""
    client = assay.Client("app")

    @client.function("f", on="go")
    def f(ctx: assay.SyncContext) -> list[int]:
        one = ctx.step.run("one", lambda: 1)
        ctx.step.sleep("nap", "1d")
        two, three = ctx.parallel(
            lambda: ctx.step.run("two", lambda: 2), lambda: ctx.step.run("three", lambda: 3)
        )
        return [one, two, three]

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1d")
        assert (await box.finished(run)).output == [1, 2, 3]
