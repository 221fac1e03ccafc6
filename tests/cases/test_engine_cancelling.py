"""Cancelling: runs that are queued, that wait, that are live, that are over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import assay
from boxes import Recorder, finish, start, states, step

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


async def test_a_queued_run_ends_at_once(open_box: OpenBox) -> None:
    """Its body never runs, not even when its time comes."""
    client, done = assay.Client("app"), Recorder()

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None:
        done.append("")

    async with open_box(client) as box:
        run = await start(box, ts=box.clock.now() + timedelta(hours=1))
        await client.cancel(run)
        assert (await box.run(run)).status == "cancelled"
        await box.advance("2h")
        assert done == []


async def test_a_waiting_run_ends_at_once_and_its_waits_are_closed(open_box: OpenBox) -> None:
    """An event that comes later finds nobody."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.wait_for_event("w", event="reply", timeout="1d")

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        await client.cancel(run)
        assert (await box.run(run)).status == "cancelled"
        await box.send(assay.Event("reply", {}))
        await box.advance("2d")
        assert (await box.run(run)).status == "cancelled"


async def test_a_live_run_gives_up_its_steps_in_flight(open_box: OpenBox) -> None:
    """The step's task is cancelled, and what it would have given is not recorded."""
    client, begun, given_up = assay.Client("app"), asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("before", lambda: 1)
        await ctx.step.run("s", hang)

    async with open_box(client) as box:
        run = await start(box)
        await box.until(begun.is_set)
        await client.cancel(run)
        ended = await box.finished(run)
        assert ended.status == "cancelled"
        assert given_up.is_set()
        before, flying = ended.steps
        assert before.status == "completed"
        assert (flying.id, flying.status, flying.output) == ("s", "cancelled", None)
        assert flying.ended_at == ended.ended_at
        (attempt,) = flying.attempts
        assert (attempt.status, attempt.ended_at) == ("cancelled", ended.ended_at)
        assert {attempt.span_id, flying.span_id} <= {
            one.span_id for one in ended.spans if one.ended_at and one.status == "unset"
        }


async def test_what_a_cancelled_run_waited_for_is_shown_as_cancelled(open_box: OpenBox) -> None:
    """Its wait, its child and its step between two attempts; not what had come by then."""
    client = assay.Client("app")

    def fail() -> None:
        raise ValueError

    @client.function("child", on="never")
    async def child(ctx: assay.Context) -> None:
        await ctx.step.sleep("nap", "1d")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.parallel(
            ctx.step.wait_for_event("came", event="reply", timeout="1d"),
            ctx.step.wait_for_event("wait", event="never", timeout="1d"),
            ctx.step.invoke("invoke", child),
            ctx.step.run("retried", fail),
        )

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        await box.send(assay.Event("reply", {}))
        await box.settled()
        await client.cancel(run)
        ended = await box.run(run)
        assert {one.id: one.status for one in ended.steps} == {
            "came": "completed",
            "wait": "cancelled",
            "invoke": "cancelled",
            "retried": "cancelled",
        }
        assert {one.ended_at for one in ended.steps[1:]} == {ended.ended_at}
        assert [one.status for one in step(ended, "retried").attempts] == ["failed"]
        (made,) = await box.runs("child")
        assert step(ended, "invoke").child_run_id == made.id


async def test_a_step_that_nobody_waited_for_is_cancelled_by_the_end(open_box: OpenBox) -> None:
    """The run completes all the same."""
    client, begun = assay.Client("app"), asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        task = asyncio.create_task(ctx.step.run("s", hang))
        await ctx.step.run("other", begun.wait)
        assert not task.done()

    async with open_box(client) as box:
        ended = await finish(box)
        assert ended.status == "completed"
        assert step(ended, "s").status == "cancelled"


async def test_a_run_that_is_over_stays_as_it_is(open_box: OpenBox) -> None:
    """Cancelling it changes nothing and is no error."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> int:
        return 1

    async with open_box(client) as box:
        run = await finish(box)
        await client.cancel(run.id)
        assert (await box.run(run.id)).status == "completed"


async def test_a_run_between_two_attempts_can_be_cancelled(open_box: OpenBox) -> None:
    """It waits for its retry, and ends at once."""
    client, tries = assay.Client("app"), Recorder()

    def fail() -> None:
        tries.append("")
        raise ValueError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", fail)

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        await client.cancel(run)
        assert (await box.run(run)).status == "cancelled"
        await box.advance("1h")
        assert len(tries) == 1


async def test_a_cancelled_child_fails_the_invoke(open_box: OpenBox) -> None:
    """The parent's step fails with `run_cancelled`."""
    client = assay.Client("app")

    @client.function("child", on="never")
    async def child(ctx: assay.Context) -> None:
        await ctx.step.sleep("nap", "1d")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.invoke("i", child)
        except assay.StepError as error:
            return error.code
        return ""

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        (made,) = await box.runs("child")
        await client.cancel(made.id)
        assert (await box.finished(run)).output == "run_cancelled"


async def test_promised_scorers_start_when_a_run_is_cancelled(open_box: OpenBox) -> None:
    """They see how it ended; a cancelled scorer leaves a cancelled outcome."""
    client = assay.Client("app")

    @client.scorer("s", scores="ended")
    async def s(ctx: assay.ScorerContext) -> bool:
        await ctx.step.sleep("nap", "1d")
        return ctx.parent.status == "cancelled"

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {})
        await ctx.step.sleep("nap", "1d")

    async with open_box(client) as box:
        runs = [await start(box), await start(box)]
        await box.settled()
        for run in runs:
            await client.cancel(run)
        await box.settled()
        # Both began in the same millisecond of a clock that stands, so their ids have no order.
        scorers = {one.parent_run_id: one.id for one in await box.runs("s")}
        assert set(scorers) == set(runs)
        await client.cancel(scorers[runs[1]])
        await box.advance("1d")
        assert [states(await box.run(run)) for run in runs] == [
            {"ended": "observed"},
            {"ended": "cancelled"},
        ]
