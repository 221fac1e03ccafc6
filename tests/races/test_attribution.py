"""A score from outside and an exposure that come at the same time: one of them sees the other."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import assay
from races.world import PROJECT, World, raced

if TYPE_CHECKING:
    from uuid import UUID

    from assay.store.pool import AsyncConn

HOLD = "SELECT FROM assay.turns WHERE project_id = 1 AND run_id = %s FOR UPDATE"
EXPOSE = (
    "INSERT INTO assay.exposures (project_id, experiment, run_id, idx, variant, unit, p, epoch,"
    " forced, at) VALUES (1, 'e', %s, 0, 'x', 'u', 0.5, 1, false, now())"
)
TAKE_OVER = "SELECT assay.take_over_scores(1, ARRAY['e'], ARRAY[%s]::uuid[], ARRAY[0])"
RECORD = "SELECT assay.record_scores(%s, %s, %s, NULL)"


async def parked(world: World) -> UUID:
    """A run that waits."""
    client = assay.Client("races")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.sleep("nap", "1d")

    await world.worker(client)
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_row("SELECT count(*) = 1 FROM assay.waits WHERE run_id = %s", run)
    return run


async def score(world: World, over: AsyncConn, run: UUID) -> None:
    """Score a run, as the API does."""
    row = {
        "id": world.ids.new(),
        "subject": "run",
        "run": run,
        "step": "",
        "idx": 0,
        "name": "m",
        "value": 1.0,
        "is_bool": False,
        "at": world.clock.time(),
        "source": "api",
    }
    await over.execute(RECORD, (PROJECT, world.clock.time(), json.dumps([row], default=str)))


async def counted(world: World) -> object:
    """How many scores count."""
    return await world.value("SELECT count(*) FROM assay.experiment_scores")


@raced
async def test_a_score_that_comes_while_its_run_is_exposed(world: World) -> None:
    """It waits for the flush, and finds the exposure."""
    run = await parked(world)
    flush, scoring = await world.connect(), await world.connect()
    await flush.execute("BEGIN")
    await flush.execute(HOLD, (run,))
    await flush.execute(EXPOSE, (run,))
    await flush.execute(TAKE_OVER, (run,))
    given = asyncio.create_task(score(world, scoring, run))
    await world.until_blocked("record_scores")
    await flush.execute("COMMIT")
    await given

    assert await counted(world) == 1


@raced
async def test_an_exposure_that_comes_while_its_run_is_scored(world: World) -> None:
    """The flush waits for the score, and takes it over."""
    run = await parked(world)
    flush, scoring = await world.connect(), await world.connect()
    await scoring.execute("BEGIN")
    await score(world, scoring, run)
    await flush.execute("BEGIN")
    held = asyncio.create_task(flush.execute(HOLD, (run,)))
    await world.until_blocked("FOR UPDATE")
    await scoring.execute("COMMIT")
    await held
    await flush.execute(EXPOSE, (run,))
    await flush.execute(TAKE_OVER, (run,))
    await flush.execute("COMMIT")

    assert await counted(world) == 1


@raced
async def test_two_scores_of_one_name_at_the_same_time(world: World) -> None:
    """One of them is the run's first, and only one, whether the run still lives or not."""
    run = await parked(world)
    one, other = await world.connect(), await world.connect()
    await one.execute(EXPOSE, (run,))
    await one.execute("BEGIN")
    await score(world, one, run)
    second = asyncio.create_task(score(world, other, run))
    await world.until_blocked("record_scores")
    await one.execute("COMMIT")
    await second

    firsts = "SELECT array_agg(is_first ORDER BY is_first) FROM assay.experiment_scores"
    assert await world.value(firsts) == [False, True]
