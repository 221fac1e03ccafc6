"""Steps: memos, attempts, errors, limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
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


async def test_a_step_begins_once_the_memos_before_it_are_durable(open_box: OpenBox) -> None:
    """What it was given is there after a crash: it never ran with what nobody remembers."""
    client, done = assay.Client("app"), Recorder()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for name in "ab":
            await ctx.step.run(name, done.note, name)

    async with open_box(client) as box:
        box.crash_before(commit=1)
        await finish(box)
    assert done == ["a", "a", "b"]


async def test_memos_and_the_end_that_follows_are_one_commit(
    open_box: OpenBox, assay_database: str
) -> None:
    """The body goes on with them at once where nothing but rows comes of it."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        value = await ctx.step.run("s", len, "abc")
        await ctx.step.score("score", name="a", value=value)
        return value

    async with open_box(client) as box:
        assert (await finish(box)).output == 3
    with psycopg.connect(assay_database) as connection:
        of_memos = connection.execute("SELECT xmin::text FROM assay.journal").fetchall()
        of_the_end = connection.execute("SELECT xmin::text FROM assay.runs").fetchall()
    assert of_memos == of_the_end * 2


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
