"""Events, waits, parking, timeouts and cancelling, each against each, paused in their commits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import assay
from assay.engine.cancellation import cancel
from assay.engine.waits import NEVER, event_wait
from assay.sdk.port import EventWait
from assay.store import events as event_store
from assay.store import turns
from assay.store.turns import Flush
from races.world import PROJECT, OneConnection, World, raced

if TYPE_CHECKING:
    from assay.store.pool import AsyncConn

STEP = UUID(int=7)
FUTURE_S = 3_600.0


class Waiting(NamedTuple):
    """A claimed run with an open wait."""

    run: UUID
    worker: UUID
    generation: int

    def park(self, *, wakes: int = 0) -> Flush:
        """The flush that parks it."""
        turn = {"run": self.run, "gen": self.generation}
        return Flush(turns=[turn], park=[turn | {"wakes": wakes, "due": NEVER}])


def waiter() -> assay.Client:
    """A function that waits for one event."""
    client = assay.Client("races")

    @client.function("f", on="go")
    async def waits(ctx: assay.Context) -> object:
        found = await ctx.step.wait_for_event("w", event="news", timeout="1h")
        return None if found is None else found.data["n"]

    return client


async def waiting(world: World, *, expires_s: float = FUTURE_S) -> Waiting:
    """A run that is claimed by nobody real, its wait committed."""
    await world.register(waiter())
    (run,) = (await world.send(world.event("go"))).run_ids
    worker = world.ids.new()
    await world.rows(
        "INSERT INTO assay.workers (id, project_id, app, host, pid, started_at, lease_until)"
        " VALUES (%s, 1, 'races', '', 0, now(), now() + interval '1 hour') RETURNING id",
        worker,
    )
    (turn,) = await world.claim(worker)
    found = Waiting(run, worker, turn.generation)
    now = world.clock.time()
    columns, _, (name, shape, paths) = event_wait(
        EventWait(event="news", timeout_s=1), {}, run=run, step=STEP, since=now
    )
    await event_store.add_shape(world.looking, project=PROJECT, name=name, shape=shape, paths=paths)
    head = {"run": run, "gen": turn.generation}
    row = {"step": STEP, "kind": "wait", "name": "w", "idx": 0, "span": 1, "since": now}
    row |= {"registered": now, "expires": now + expires_s}
    await world.commit(Flush(turns=[head], waits=[head | columns | row]), worker)
    return found


async def resolve(world: World, run: UUID, over: AsyncConn | None = None) -> list[UUID]:
    """Give a new event to the wait; gives the runs that took it."""
    pairs = [(run, STEP, world.ids.new(), '{"data": {"n": 1}}')]
    return await event_store.resolve(
        over or world.looking, pairs, project=PROJECT, now=world.clock.time()
    )


async def begun(world: World) -> AsyncConn:
    """A connection in a transaction."""
    connection = await world.connect()
    await connection.execute("BEGIN")
    return connection


@raced
async def test_event_before_the_commit_of_a_wait(world: World) -> None:
    """It looked for waits before there was one: the wait, once committed, finds it."""
    await world.worker(waiter())
    holder = await begun(world)
    await holder.execute("LOCK TABLE assay.waits IN SHARE MODE")
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_blocked("assay.commit(")
    await world.send(world.event("news", {"n": 5}))
    await holder.execute("COMMIT")

    assert await world.until_ended(run) == [("completed", "5", None)]
    assert await world.value("SELECT count(*) FROM assay.run_events") == 1


@raced
async def test_event_committed_after_the_look_of_a_wait(world: World) -> None:
    """The wait saw nothing and parked: the event, once committed, finds it."""
    await world.worker(waiter())
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_row("SELECT count(*) = 1 FROM assay.waits")
    holder = await begun(world)
    await holder.execute("LOCK TABLE assay.events IN SHARE MODE")
    sending = asyncio.create_task(world.send(world.event("news", {"n": 5})))
    await world.until_blocked("assay.ingest(")
    await world.until_row("SELECT count(*) = 1 FROM assay.turns WHERE state = 0")
    await holder.execute("COMMIT")
    await sending

    assert await world.until_ended(run) == [("completed", "5", None)]
    assert await world.value("SELECT count(*) FROM assay.run_events") == 1


@raced
async def test_both_sides_find_each_other(world: World) -> None:
    """Two looks give the wait an event at the same time: one does, and wakes once."""
    found = await waiting(world)
    holder = await begun(world)
    await holder.execute("SELECT FROM assay.turns WHERE project_id = 1 FOR UPDATE")
    one, two = await world.connect(), await world.connect()
    looks = [asyncio.create_task(resolve(world, found.run, over)) for over in (one, two)]
    await world.until_blocked("assay.resolve(", count=2)
    await holder.execute("COMMIT")
    taken = await asyncio.gather(*looks)

    assert sorted(taken) == [[], [found.run]]
    assert await world.value("SELECT wakes FROM assay.turns") == 1
    assert await world.value("SELECT count(*) FROM assay.run_events") == 1


@raced
async def test_wake_before_the_commit_of_a_park(world: World) -> None:
    """The park sees that a wake came since the claim, and is due at once."""
    found = await waiting(world)
    waking = await begun(world)
    await resolve(world, found.run, waking)
    other = await world.connect()
    parking = asyncio.create_task(world.commit(found.park(), found.worker, over=other))
    await world.until_blocked("assay.commit(")
    await waking.execute("COMMIT")
    await parking
    (turn,) = await world.claim(world.ids.new())

    assert found.run == turn.run_id
    assert [entry[2] for entry in turn.journal or ()] == ["wait"]


@raced
async def test_wake_during_the_commit_of_a_park(world: World) -> None:
    """The wake comes second to the row, finds a parked turn and makes it due."""
    found = await waiting(world)
    parking = await begun(world)
    await world.commit(found.park(), found.worker, over=parking)
    other = await world.connect()
    waking = asyncio.create_task(resolve(world, found.run, other))
    await world.until_blocked("assay.resolve(")
    await parking.execute("COMMIT")
    assert await waking == [found.run]
    (turn,) = await world.claim(world.ids.new())

    assert found.run == turn.run_id
    assert [entry[2] for entry in turn.journal or ()] == ["wait"]


@raced
async def test_event_during_a_timeout(world: World) -> None:
    """The claim that times the wait out is first: the event finds nothing to resolve."""
    found = await waiting(world, expires_s=0.0)
    await world.commit(found.park(wakes=0), found.worker)
    await world.looking.execute("UPDATE assay.turns SET due_at = now() - interval '1 s'")
    claiming = await begun(world)
    (turn,) = await world.claim(world.ids.new(), over=claiming)
    other = await world.connect()
    taking = asyncio.create_task(resolve(world, found.run, other))
    await world.until_blocked("assay.resolve(")
    await claiming.execute("COMMIT")

    assert await taking == []
    assert [entry[5] for entry in turn.journal or ()] == ["null"]
    assert await world.rows("SELECT run_id FROM assay.run_events") == []


@raced
async def test_timeout_during_an_event(world: World) -> None:
    """The event is first: the claim passes the run over, and the next one sees the event."""
    found = await waiting(world, expires_s=0.2)
    await world.commit(found.park(), found.worker)
    taking = await begun(world)
    assert await resolve(world, found.run, taking) == [found.run]
    await world.until_row("SELECT expires_at < clock_timestamp() FROM assay.waits")
    assert await world.claim(world.ids.new()) == []
    await taking.execute("COMMIT")
    (turn,) = await world.claim(world.ids.new())

    assert [entry[5] for entry in turn.journal or ()] == ['{"data": {"n": 1}}']


@raced
async def test_cancel_during_a_finish(world: World) -> None:
    """The end is first: there is nothing left to cancel."""
    found = await waiting(world)
    head = {"run": found.run, "gen": found.generation}
    end = {"status": "completed", "output": "1", "error": None, "started": 1.0, "waited": True}
    finishing = await begun(world)
    await world.commit(Flush(turns=[head], finish=[head | end]), found.worker, over=finishing)
    cancelling = asyncio.create_task(cancelled(world, found.run))
    await world.until_blocked("cancelled_at")
    await finishing.execute("COMMIT")

    assert await cancelling == "over"
    assert await world.rows("SELECT status FROM assay.runs") == [("completed",)]


@raced
async def test_finish_during_a_cancel(world: World) -> None:
    """The sign is first: the end lands all the same, and is the only one."""
    found = await waiting(world)
    head = {"run": found.run, "gen": found.generation}
    end = {"status": "completed", "output": "1", "error": None, "started": 1.0, "waited": True}
    signing = await begun(world)
    await turns.cancel(signing, project=PROJECT, run=found.run, now=world.clock.now())
    other = await world.connect()
    flush = Flush(turns=[head], finish=[head | end])
    finishing = asyncio.create_task(world.commit(flush, found.worker, over=other))
    await world.until_blocked("assay.commit(")
    await signing.execute("COMMIT")
    told = await finishing

    assert told[found.run].cancelled
    assert await world.rows("SELECT status FROM assay.runs") == [("completed",)]
    assert await world.rows("SELECT run_id FROM assay.turns") == []


@raced
async def test_cancel_of_a_parked_run_against_a_claim(world: World) -> None:
    """Whoever claims it ends it: the canceller, or the worker that sees the sign."""
    found = await waiting(world)
    await world.commit(found.park(), found.worker)
    answer = await cancelled(world, found.run)

    assert answer == "cancelled"
    assert await world.rows("SELECT status FROM assay.runs") == [("cancelled",)]
    assert await world.rows("SELECT run_id FROM assay.waits") == []


async def cancelled(world: World, run: UUID) -> str:
    """Cancel a run over a connection of its own."""
    return await cancel(
        OneConnection(await world.connect()),
        run,
        project=PROJECT,
        process=world.ids.new(),
        clock=world.clock,
        ids=world.ids,
    )
