"""The users' test kit: its faces, its clock, its crashes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

import assay
from assay.testing import SyncSandbox
from boxes import Recorder, finish, start, step

if TYPE_CHECKING:
    from boxes import OpenBox


def test_tests_that_are_not_async_have_a_sandbox_too(assay_database: str) -> None:
    """With the same methods; `client.sync` goes to it."""
    client = assay.Client("app")

    @client.function("f", on="go")
    def f(ctx: assay.SyncContext) -> int:
        ctx.step.sleep("nap", "1d")
        return ctx.step.run("s", lambda: 42)

    with SyncSandbox(client, database_url=assay_database) as box:
        (run,) = client.sync.send(assay.Event("go", {})).run_ids
        box.crash_after(commit=1)
        box.advance("1d")
        client.sync.score("a", 1, run_id=run)
        assert client.sync.result(run, of=f) == 42
        assert [score.value for score in box.scores(run)] == [1]
        assert [one.id for one in box.runs("f")] == [run]
        assert box.finished(run).status == box.run(run).status == "completed"
        assert box.event(box.run(run).event_ids[0]).name == "go"
        assert box.get(f"runs/{run}")["id"] == run
        with pytest.raises(assay.AssayError, match="ULID") as caught:
            box.run("none")
        assert caught.value.code == "bad_id"


@pytest.mark.anyio
async def test_time_moves_only_when_told_and_stops_at_what_falls_due(open_box: OpenBox) -> None:
    """`advance` goes from one due instant to the next, so nothing is late."""
    client = assay.Client("app")
    seen: list[timedelta] = []

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for _ in range(3):
            await ctx.step.sleep("nap", "8h")
            await ctx.step.run("note", lambda: seen.append(box.clock.now() - begun))

    async with open_box(client) as box:
        begun = box.clock.now()
        await start(box)
        await box.settled()
        assert box.clock.now() == begun
        await box.advance("20h")
        assert seen == [timedelta(hours=8), timedelta(hours=16)]
        assert box.clock.now() == begun + timedelta(hours=20)


@pytest.mark.anyio
async def test_waiting_for_what_never_comes_fails_and_names_the_run(open_box: OpenBox) -> None:
    """A step that waits for the test keeps its run live."""
    client, begun, go_on = assay.Client("app"), asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await go_on.wait()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", hold)

    async with open_box(client, patience_s=0.2) as box:
        run = await start(box)
        await begun.wait()
        with pytest.raises(assay.AssayError, match=run) as caught:
            await box.settled()
        assert caught.value.code == "sandbox_busy"
        go_on.set()


@pytest.mark.anyio
async def test_a_client_goes_its_own_way_again_afterwards(open_box: OpenBox) -> None:
    """Outside of the block its requests go where they went before."""
    client = assay.Client("app", url="http://127.0.0.1:1")
    async with open_box(client):
        await client.send(assay.Event("go", {}))
    with pytest.raises(assay.AssayError) as caught:
        await client.send(assay.Event("go", {}))
    assert caught.value.code == "api_unreachable"


@pytest.mark.anyio
async def test_a_step_that_kills_its_worker_does_not_do_so_for_ever(open_box: OpenBox) -> None:
    """After the first loss attempts are written down before they begin, and lost ones count."""
    client, tries = assay.Client("app"), Recorder()

    async def kill() -> None:
        tries.append("")
        box.crash()
        await asyncio.Event().wait()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        await ctx.step.run("before", lambda: 1)
        try:
            await ctx.step.options(retries=1).run("s", kill)
        except assay.StepError as error:
            return error.name
        return ""

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1h")
        ended = await box.finished(run)
        assert ended.output == "WorkerLostError"
        assert [one.status for one in step(ended, "s").attempts] == ["failed", "failed"]
        assert len(tries) == 3


@pytest.mark.anyio
async def test_a_crash_that_does_not_come_is_refused(open_box: OpenBox) -> None:
    """A test that asks for one at a commit that is never made proves nothing."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None: ...

    async def live() -> None:
        async with open_box(client) as box:
            box.crash_after(commit=9)
            await finish(box)

    with pytest.raises(assay.AssayError, match="no crash took place") as caught:
        await live()
    assert caught.value.code == "crash_missed"


@pytest.mark.anyio
async def test_a_crash_leaves_no_step_with_a_memo_to_run_again(open_box: OpenBox) -> None:
    """Only what was not committed is done again."""
    client, done = assay.Client("app"), Recorder()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for name in "abc":
            await ctx.step.run(name, done.note, name)

    async with open_box(client) as box:
        box.crash_before(commit=2)
        assert (await finish(box)).status == "completed"
        assert done == ["a", "b", "b", "c"]


@pytest.mark.anyio
async def test_days_that_go_by_bring_their_looks(open_box: OpenBox, assay_database: str) -> None:
    """At each midnight, an hour later, as the clock of the sandbox has it."""
    client = assay.Client("app")
    plan = assay.ExperimentPlan(primary="word", kind="boolean", days=28, maturity="1d")
    client.experiment("style", plan=plan)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        work = {"a": lambda: ctx.step.run("s", len, "x"), "b": lambda: ctx.step.run("s", len, "y")}
        select = assay.bucket(ctx.event.data["unit"], weights={"a": 1, "b": 1})
        return (await ctx.experiment("style", variants=work, select=select)).variant

    async with open_box(client, start=datetime(2026, 3, 2, 12, tzinfo=UTC)) as box:
        await box.send([assay.Event("go", {"unit": unit}) for unit in range(9)])
        await box.advance("3d")
    with psycopg.connect(assay_database) as connection:
        looked = connection.execute("SELECT DISTINCT cutoff::date FROM assay.looks ORDER BY 1")
        assert [row[0].day for row in looked] == [3, 4, 5]
