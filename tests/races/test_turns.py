"""Claims, leases, take-overs and returns of turns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import assay
from assay.engine.arrivals import Arrivals
from assay.engine.ingest import Ingest
from assay.engine.sweeping import Sweeper
from assay.store import turns
from races.world import LEASE_S, PROJECT, OneConnection, World, raced

if TYPE_CHECKING:
    from uuid import UUID

CLAIMERS = 10


def simple() -> tuple[assay.Client, asyncio.Event]:
    """A function with one step, which is held until the event is set."""
    client = assay.Client("races")
    gate = asyncio.Event()

    @client.function("f", on="go")
    async def body(ctx: assay.Context) -> bool:
        return await ctx.step.run("s", gate.wait)

    return client, gate


async def sweep(world: World) -> bool:
    """One sweep, as a worker does it."""
    connection = await world.connect()
    link = OneConnection(connection)
    return await Sweeper(
        Ingest(link, project=PROJECT, clock=world.clock, ids=world.ids),
        Arrivals(link, project=PROJECT, clock=world.clock),
        project=PROJECT,
        clock=world.clock,
        lease_s=LEASE_S,
    ).sweep(connection)


@raced
async def test_ten_workers_claim_disjoint_turns(world: World) -> None:
    """All at once, until nothing is left: each turn has one owner."""
    client, _ = simple()
    await world.register(client)
    runs = (await world.send(*(world.event("go") for _ in range(200)))).run_ids

    async def take(worker: UUID) -> list[UUID]:
        connection = await world.connect()
        mine: list[UUID] = []
        while claimed := await world.claim(worker, over=connection, limit=7):
            mine += [turn.run_id for turn in claimed]
        return mine

    taken = await asyncio.gather(*(take(world.ids.new()) for _ in range(CLAIMERS)))

    assert sorted(runs) == sorted(run for mine in taken for run in mine)


@raced
async def test_a_claim_whose_answer_was_lost_is_given_back(world: World) -> None:
    """The database says that the worker has the turn, the worker has never heard of it."""
    client, gate = simple()
    gate.set()
    worker = await world.worker(client)
    backend = (await worker._db.claims.get()).info.backend_pid
    sending = await world.connect()
    await sending.execute("BEGIN")
    (run,) = (await world.send(world.event("go"), over=sending)).run_ids
    await sending.execute(
        "UPDATE assay.turns SET state = 1, worker_id = %s, generation = 1", [worker.id]
    )
    await sending.execute("COMMIT")
    await world.rows("SELECT pg_terminate_backend(%s::int)", backend)

    assert await world.until_ended(run) == [("completed", "true", None)]


@raced
async def test_what_nobody_known_holds_is_taken_over(world: World) -> None:
    """A claim that reached the server after its worker had been swept and forgotten."""
    client, _ = simple()
    await world.register(client)
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.claim(world.ids.new())
    assert await sweep(world)
    (turn,) = await world.claim(world.ids.new())

    assert (run, 1) == (turn.run_id, turn.losses)


@raced
async def test_a_worker_that_lives_keeps_its_turns(world: World) -> None:
    """A sweep takes nothing from it."""
    client, gate = simple()
    await world.worker(client)
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_row("SELECT count(*) = 1 FROM assay.turns WHERE state = 1")
    await sweep(world)
    assert await world.value("SELECT losses + generation FROM assay.turns") == 1
    gate.set()

    assert await world.until_ended(run) == [("completed", "true", None)]


@raced
async def test_a_worker_taken_for_lost_goes_on_under_another_id(world: World) -> None:
    """Its run is taken over, by itself if there is no other, and ends once."""
    client, gate = simple()
    worker = await world.worker(client)
    old = worker.id
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_row("SELECT count(*) = 1 FROM assay.turns WHERE state = 1")
    await world.rows("UPDATE assay.workers SET lost = true RETURNING id")
    # A worker is marked only after its lease, by its own clock, has run out.
    worker._lease._until = 0.0
    await world.until(lambda: is_other(worker.id, old))
    gate.set()
    ended = await world.until_ended(run)

    assert ended == [("completed", "true", None)]
    await world.until_row("SELECT array_agg(id) = ARRAY[%s] FROM assay.workers", worker.id)


async def is_other(one: UUID, two: UUID) -> bool:
    """Whether two ids differ."""
    return one != two


@raced
async def test_give_back_against_take_over(world: World) -> None:
    """Whoever is second to the row changes nothing: the turn is freed once."""
    client, _ = simple()
    await world.register(client)
    await world.send(world.event("go"))
    worker = world.ids.new()
    for is_returned_first in (True, False):
        (turn,) = await world.claim(worker)
        first, second = await world.connect(), await world.connect()
        now = world.clock.now()
        dropped = [(turn.run_id, turn.generation)]
        returning, taking = (first, second) if is_returned_first else (second, first)
        give_back = turns.give_back(returning, dropped, project=PROJECT, now=now)
        take_over = turns.take_over(taking, project=PROJECT, workers=[worker], now=now)
        await first.execute("BEGIN")
        if is_returned_first:
            await give_back
            later: asyncio.Task[object] = asyncio.create_task(take_over)
            await world.until_blocked("losses = t.losses + 1")
        else:
            await take_over
            later = asyncio.create_task(give_back)
            await world.until_blocked("t.generation = u.gen")
        await first.execute("COMMIT")
        await later

        generation, state = (await world.rows("SELECT generation, state FROM assay.turns"))[0]
        assert (turn.generation + 1, 0) == (generation, state)
