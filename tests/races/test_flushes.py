"""Flushes: a bad row, a connection lost in flight, a deadlock, a fence that is raised meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
from typing_extensions import override

import assay
from assay.engine.worker import Worker
from races.world import World, raced

if TYPE_CHECKING:
    from uuid import UUID

    from assay.store.turns import Flush, Written

CONNECTION_TERMINATED = "SELECT pg_terminate_backend(%s::int)"
LOCK_TURN = "SELECT FROM assay.turns WHERE project_id = 1 AND run_id = %s FOR UPDATE"


class App:
    """A client whose one step is counted and held until it is let go."""

    def __init__(self) -> None:
        self.client = assay.Client("races")
        self.calls = 0
        self.gate = asyncio.Event()

        @self.client.function("f", on="go")
        async def body(ctx: assay.Context) -> object:
            return await ctx.step.run("s", self.step, ctx.event.data.get("n"))

    async def step(self, n: object) -> object:
        """The step."""
        self.calls += 1
        await self.gate.wait()
        return n


async def memos(world: World) -> list[str]:
    """The memos of the step."""
    return [row[0] for row in await world.rows("SELECT output FROM assay.journal")]


@raced
async def test_one_bad_row_fails_its_run_alone(world: World) -> None:
    """The others of the flush are written; the bad run fails and says why."""
    await world.looking.execute(
        "ALTER TABLE assay.journal ADD CONSTRAINT no_bad CHECK (output NOT LIKE '%bad%')"
    )
    app = App()
    await world.worker(app.client)
    runs = (await world.send(*(world.event("go", {"n": n}) for n in ("a", "bad", "b")))).run_ids
    await world.until(lambda: _true(app.calls == 3))
    app.gate.set()
    ended = await world.until_ended(*runs)

    # The database serves other tests afterwards.
    await world.looking.execute("ALTER TABLE assay.journal DROP CONSTRAINT no_bad")
    assert [status for status, _, _ in ended] == ["completed", "failed", "completed"]
    assert "commit_refused" in str(ended[1][2])
    assert "no_bad" in str(ended[1][2])
    assert sorted(await memos(world)) == ['"a"', '"b"']


@raced
async def test_a_connection_lost_before_the_commit(world: World) -> None:
    """The run is dropped, given back and claimed again: the step runs twice, its memo is one."""
    app = App()
    await world.worker(app.client)
    holder = await world.connect()
    (run,) = (await world.send(world.event("go", {"n": 1}))).run_ids
    await world.until(lambda: _true(app.calls == 1))
    await holder.execute("BEGIN")
    await holder.execute("SELECT FROM assay.turns WHERE project_id = 1 FOR UPDATE")
    app.gate.set()
    backend = await world.until_blocked("assay.commit(")
    await world.rows(CONNECTION_TERMINATED, backend)
    await holder.execute("COMMIT")
    ended = await world.until_ended(run)

    assert ended == [("completed", "1", None)]
    assert app.calls == 2
    assert await memos(world) == ["1"]


class LosesAnswer(Worker):
    """A worker whose connection breaks after each commit that it is told of in `at`."""

    at = 1
    commits = 0

    @override
    async def _commit(self, flush: Flush) -> dict[UUID, Written]:
        self.commits += 1
        told = await super()._commit(flush)
        if self.commits == self.at:
            message = "the connection is gone"
            raise psycopg.OperationalError(message)
        return told


@raced
async def test_a_connection_lost_after_the_commit(world: World) -> None:
    """The memo is found when the run is claimed again: the step runs once."""
    app = App()
    app.gate.set()
    await world.worker(app.client, LosesAnswer)
    (run,) = (await world.send(world.event("go", {"n": 1}))).run_ids
    ended = await world.until_ended(run)

    assert ended == [("completed", "1", None)]
    assert app.calls == 1
    assert await memos(world) == ["1"]


@raced
async def test_a_wait_whose_commit_nobody_heard_of_is_looked_after(world: World) -> None:
    """Its event came while it was registered, so only the look of the wait can find it."""
    client = assay.Client("races")

    @client.function("f", on="go")
    async def waits(ctx: assay.Context) -> object:
        found = await ctx.step.wait_for_event("w", event="news", timeout="1h")
        return found is not None

    worker = await world.worker(client, LosesAnswer)
    holder = await world.connect()
    await holder.execute("BEGIN")
    await holder.execute("LOCK TABLE assay.waits IN SHARE MODE")
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_blocked("assay.commit(")
    await world.send(world.event("news"))
    await holder.execute("COMMIT")
    ended = await world.until_ended(run)

    assert ended == [("completed", "true", None)]
    assert isinstance(worker, LosesAnswer)
    assert await world.value("SELECT count(*) FROM assay.run_events") == 1


@raced
async def test_a_deadlock_is_tried_again(world: World) -> None:
    """The server ends one of two that wait for each other; the flush is sent again."""
    app = App()
    await world.worker(app.client)
    runs = (await world.send(*(world.event("go", {"n": n}) for n in range(2)))).run_ids
    await world.until(lambda: _true(app.calls == 2))
    low, high = sorted(runs)
    other = await world.connect()
    await other.execute("BEGIN")
    await other.execute("SET LOCAL deadlock_timeout = '1min'")
    await other.execute(LOCK_TURN, [high])
    app.gate.set()
    await world.until_blocked("assay.commit(")
    await other.execute(LOCK_TURN, [low])
    await other.execute("COMMIT")
    ended = await world.until_ended(*runs)

    assert [status for status, _, _ in ended] == ["completed", "completed"]
    assert app.calls == 2
    assert len(await memos(world)) == 2


@raced
async def test_a_turn_taken_over_while_its_commit_waits(world: World) -> None:
    """The zombie's flush comes second to the row: it writes nothing, the run goes on elsewhere."""
    app = App()
    worker = await world.worker(app.client)
    (run,) = (await world.send(world.event("go", {"n": 1}))).run_ids
    await world.until(lambda: _true(app.calls == 1))
    other = await world.connect()
    await other.execute("BEGIN")
    await other.execute("SELECT FROM assay.turns WHERE project_id = 1 FOR UPDATE")
    app.gate.set()
    await world.until_blocked("assay.commit(")
    await other.execute("UPDATE assay.workers SET lost = true WHERE id = %s", [worker.id])
    # Heartbeats before this one have been answered: none of them sets the lease after us.
    await world.until_blocked("lease_until =")
    # A worker is marked only after its lease, by its own clock, has run out.
    worker._lease._until = 0.0
    await other.execute(
        "UPDATE assay.turns SET state = 0, worker_id = NULL, generation = generation + 1,"
        " losses = losses + 1"
    )
    await other.execute("COMMIT")
    ended = await world.until_ended(run)

    assert ended == [("completed", "1", None)]
    assert app.calls == 2
    assert await memos(world) == ["1"]


async def _true(value: bool) -> bool:  # noqa: FBT001 - a condition
    return value
