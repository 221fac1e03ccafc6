"""Bodies: replay, retries, parallel branches, what they may not do."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

import assay
from boxes import Recorder, finish, start, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from boxes import OpenBox

pytestmark = pytest.mark.anyio


async def test_a_failed_body_is_tried_again_with_its_memos(open_box: OpenBox) -> None:
    """The body has the function's retries; steps that have memos don't run again."""
    client, done = assay.Client("app"), Recorder()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        await ctx.step.run("s", done.note, "s")
        if ctx.attempt < 3:
            raise ValueError("not yet")
        return ctx.attempt

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("14s")
        assert (await box.run(run)).status == "waiting"
        await box.advance("31s")
        assert (await box.finished(run)).output == 3
        assert done == ["s"]


async def test_a_body_that_keeps_failing_fails_its_run(open_box: OpenBox) -> None:
    """With `retries=1` it has two attempts; the run's error is the last one."""
    client, tries = assay.Client("app"), Recorder()

    @client.function("f", on="go", retries=1)
    async def f(ctx: assay.Context) -> None:
        tries.append("")
        raise ValueError(f"attempt {ctx.attempt}")

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        ended = await box.finished(run)
        assert ended.error is not None
        assert (ended.status, len(tries), ended.error.message) == ("failed", 2, "attempt 2")


async def test_a_body_may_say_when_it_is_tried_again(open_box: OpenBox) -> None:
    """RetryAfterError works in bodies as in steps."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        if ctx.attempt == 1:
            raise assay.RetryAfterError("busy", "2h")
        return ctx.attempt

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("119m")
        assert (await box.run(run)).status == "waiting"
        await box.advance("1m")
        assert (await box.finished(run)).output == 2


async def test_a_non_retriable_error_in_a_body_fails_the_run_at_once(open_box: OpenBox) -> None:
    """Errors of our own API are of that kind too."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None:
        raise assay.NonRetriableError("never")

    @client.function("g", on="score")
    async def g(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="it's", value=1)

    async with open_box(client) as box:
        assert (await finish(box)).status == "failed"
        run = await finish(box, "score")
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "score_name")


async def test_io_in_a_body_is_an_error_at_its_line(open_box: OpenBox) -> None:
    """A body waits on ctx alone; the rest belongs in a step."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None:
        await asyncio.sleep(1)

    async with open_box(client) as box:
        run = await finish(box)
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "body_io")


async def test_a_body_that_nothing_can_wake_fails_its_run(open_box: OpenBox) -> None:
    """`body_stuck` names the line where it waits."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", lambda: 1)
        await asyncio.Event().wait()

    async with open_box(client) as box:
        run = await finish(box)
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "body_stuck")


async def test_a_memo_of_another_kind_than_asked_is_a_mismatch(open_box: OpenBox) -> None:
    """Code that changed under a run fails it, without another attempt."""
    client, is_new = assay.Client("app"), asyncio.Event()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        if is_new.is_set():
            await ctx.step.sleep("s", "1h")
        else:
            await ctx.step.run("s", lambda: 1)
        await ctx.step.sleep("nap", "1h")

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        is_new.set()
        await box.advance("1h")
        ended = await box.finished(run)
        assert ended.error is not None
        assert (ended.status, ended.error.code) == ("failed", "journal_mismatch")


async def test_a_memo_that_is_not_asked_for_any_more_is_reported(open_box: OpenBox) -> None:
    """The run goes on; its warnings name the step."""
    client, is_new = assay.Client("app"), asyncio.Event()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        if not is_new.is_set():
            await ctx.step.run("old", lambda: 1)
        await ctx.step.sleep("nap", "1h")

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        is_new.set()
        await box.advance("1h")
        ended = await box.finished(run)
        assert ended.status == "completed"
        assert any("'old'" in warning for warning in ended.warnings)


async def test_parallel_waits_for_all_and_raises_the_first_error_in_order(
    open_box: OpenBox,
) -> None:
    """Not the first in time: the order of the arguments decides."""
    client = assay.Client("app")

    def fail(name: str) -> None:
        raise assay.NonRetriableError(name)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        async def late() -> None:
            await ctx.step.sleep("nap", "1h")
            await ctx.step.run("a", fail, "late")

        try:
            await ctx.parallel(late(), ctx.step.run("b", fail, "early"), ctx.step.run("c", str))
        except assay.StepError as error:
            return error.message
        return ""

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        ended = await box.finished(run)
        assert ended.output == "late"
        assert step(ended, "c").status == "completed"


async def test_gather_and_task_groups_are_safe(open_box: OpenBox) -> None:
    """Branches replay to the same results, whichever ended first."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[str]:
        async def branch(name: str, nap: str) -> str:
            first = await ctx.step.run("fetch", str, name)
            await ctx.step.sleep(f"nap-{name}", nap)
            return first + await ctx.step.run("again", str, name)

        gathered = await asyncio.gather(branch("a", "2h"), branch("b", "1h"))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(branch(name, "1h")) for name in "cd"]
        return [*gathered, *(task.result() for task in tasks)]

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1d")
        assert (await box.finished(run)).output == ["aa", "bb", "cc", "dd"]


async def test_the_logger_is_silent_on_replay_and_carries_the_run(
    open_box: OpenBox, caplog: pytest.LogCaptureFixture
) -> None:
    """Each line of a body is logged once, however often it is replayed."""
    client = assay.Client("app")
    caplog.set_level(logging.INFO, "assay.run")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", lambda: 1)
        ctx.logger.info("before")
        await ctx.step.sleep("nap", "1h")
        ctx.logger.info("after")

    async with open_box(client) as box:
        await start(box)
        await box.advance("1h")
        records = [one for one in caplog.records if one.name == "assay.run"]
        assert [record.message for record in records] == ["before", "after"]
        assert {"f"} == {record.__dict__["function_id"] for record in records}


async def test_a_body_sees_the_event_that_started_it(open_box: OpenBox) -> None:
    """Name, data, time and sessions, and its run's id."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[object]:
        return [ctx.event.name, ctx.event.data, ctx.event.sessions, ctx.sessions, ctx.run_id]

    async with open_box(client) as box:
        run = await finish(box, data={"n": 1}, sessions={"ticket": "tk_1"})
        pairs = {"ticket": "tk_1"}
        assert ["go", {"n": 1}, pairs, pairs, run.id] == run.output


async def test_client_result_gives_the_typed_output_of_a_run(open_box: OpenBox) -> None:
    """It reads the output by the return type of the function; a failed run is an error."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        if "wrong" in ctx.event.data:
            raise assay.NonRetriableError("wrong")
        return 42

    async with open_box(client):
        sent = await client.send([assay.Event("go", {}), assay.Event("go", {"wrong": True})])
        assert await client.result(sent.run_ids[0], of=f, timeout="10s") == 42
        with pytest.raises(assay.AssayError, match="wrong") as caught:
            await client.result(sent.run_ids[1], of=f, timeout="10s")
        assert caught.value.code == "run_failed"


async def test_a_forgotten_await_is_reported_on_the_run(open_box: OpenBox) -> None:
    """Once, by the turn that ends the run, and not for what parking drops."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        later = ctx.step.run("later", int)
        step: Any = ctx.step  # mypy would find the fault
        step.score("rate", name="rating", value=1)
        await ctx.step.sleep("nap", "1h")
        await later

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        ended = await box.finished(run)
        (warning,) = ended.warnings
        assert "score 'rate' was never awaited" in warning
        assert ended.scores == []


@pytest.mark.parametrize(
    ("forget", "told"),
    [
        (lambda asked: asyncio.create_task(asked()), "step 's' was never awaited"),
        (lambda asked: asyncio.gather(asked()), "step 's' was never awaited"),
        (lambda asked: asyncio.shield(asked()), "step 's' was never awaited"),
        (lambda asked: asyncio.create_task(within(asked)), "step 's' was never awaited"),
        (
            lambda asked: asyncio.create_task(within(lambda: asyncio.gather(asked()))),
            "a task at ",
        ),
    ],
    ids=("task", "gather", "shield", "deeper", "gathered deeper"),
)
async def test_a_task_that_is_never_awaited_is_reported_on_the_run(
    open_box: OpenBox, forget: Callable[[Callable[[], Any]], object], told: str
) -> None:
    """Whatever it was put into, if that was not awaited either."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        forget(lambda: ctx.step.run("s", asyncio.Event().wait))
        await ctx.step.run("other", int)

    async with open_box(client) as box:
        (warning,) = (await finish(box)).warnings
        assert told in warning


async def within(asked: Callable[[], Any]) -> None:
    """Await it one level deeper."""
    await asked()


async def test_a_task_that_lost_a_race_is_not_forgotten(open_box: OpenBox) -> None:
    """It was waited for: the run says nothing of it."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        long = asyncio.create_task(ctx.step.sleep("long", "1d"))
        short = asyncio.create_task(ctx.step.run("short", int))
        await asyncio.wait([long, short], return_when=asyncio.FIRST_COMPLETED)

    async with open_box(client) as box:
        assert (await finish(box)).warnings == []


async def test_a_long_message_of_an_error_is_cut(open_box: OpenBox) -> None:
    """Lists of runs show each run's error."""
    client = assay.Client("app")

    @client.function("f", on="go", retries=0)
    async def f(_: assay.Context) -> None:
        raise ValueError("x" * 1_000_000)

    async with open_box(client) as box:
        error = (await finish(box)).error
        assert error is not None
        assert len(error.message) < 20_000
        assert error.message.endswith("(984000 more characters)")
