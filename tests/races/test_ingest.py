"""The same event, or the same key, from two connections; a sender whose look failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest
from typing_extensions import override

from assay.engine.ingest import Ingest
from races.test_turns import simple
from races.test_wakes import waiter
from races.world import PROJECT, OneConnection, World, raced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.engine.arrivals import Arrival
    from assay.engine.ingest import WaitShape


@raced
async def test_the_same_event_sent_twice_at_once(world: World) -> None:
    """The second waits for the first, starts nothing and gives the same run."""
    await world.register(simple()[0])
    event = world.event("go")
    first, second = await world.connect(), await world.connect()
    await first.execute("BEGIN")
    one = await world.send(event, over=first)
    again = asyncio.create_task(world.send(event, over=second))
    await world.until_blocked("assay.ingest(")
    await first.execute("COMMIT")
    two = await again

    assert one.run_ids == two.run_ids
    assert await world.value("SELECT count(*) FROM assay.runs") == 1


@raced
async def test_the_same_key_sent_twice_at_once(world: World) -> None:
    """The second event is kept, but starts nothing."""
    await world.register(simple()[0])
    first, second = await world.connect(), await world.connect()
    await first.execute("BEGIN")
    one = await world.send(world.event("go", key="k"), over=first)
    again = asyncio.create_task(world.send(world.event("go", key="k"), over=second))
    await world.until_blocked("assay.ingest(")
    await first.execute("COMMIT")
    two = await again

    assert (len(one.run_ids), len(two.run_ids)) == (1, 0)
    assert await world.value("SELECT count(*) FROM assay.runs") == 1
    assert await world.value("SELECT count(*) FROM assay.events") == 2


@raced
async def test_a_key_whose_first_sender_fails_is_free(world: World) -> None:
    """The second waits for the first, which rolls back, and starts its run."""
    await world.register(simple()[0])
    first, second = await world.connect(), await world.connect()
    await first.execute("BEGIN")
    await world.send(world.event("go", key="k"), over=first)
    again = asyncio.create_task(world.send(world.event("go", key="k"), over=second))
    await world.until_blocked("assay.ingest(")
    await first.execute("ROLLBACK")

    assert len((await again).run_ids) == 1


@raced
async def test_one_key_twice_in_a_batch(world: World) -> None:
    """The first of them starts its run."""
    await world.register(simple()[0])
    sent = await world.send(world.event("go", key="k"), world.event("go", key="k"))

    assert len(sent.run_ids) == 1
    assert await world.value("SELECT event_id FROM assay.runs") == sent.event_ids[0]


class FailsToLook(Ingest):
    """Its connection breaks after the commit."""

    @override
    async def give(self, events: Sequence[Arrival], shapes: Sequence[WaitShape]) -> None:
        message = "the connection is gone"
        raise psycopg.OperationalError(message)


@raced
async def test_an_event_sent_again_after_its_look_failed(world: World) -> None:
    """Its sender doesn't know that it was written, and sends it again: then it wakes its wait."""
    await world.worker(waiter())
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_row("SELECT count(*) = 1 FROM assay.turns WHERE state = 0 AND generation > 0")
    event = world.event("news", {"n": 5})
    link = OneConnection(await world.connect())
    failing = FailsToLook(link, project=PROJECT, clock=world.clock, ids=world.ids)
    with pytest.raises(psycopg.OperationalError):
        await failing.send([event])
    await world.send(event)

    assert await world.until_ended(run) == [("completed", "5", None)]


@raced
async def test_an_old_event_sent_again_wakes_no_later_wait(world: World) -> None:
    """It was received before the wait began."""
    await world.worker(waiter())
    event = world.event("news", {"n": 5})
    await world.send(event)
    (run,) = (await world.send(world.event("go"))).run_ids
    await world.until_row("SELECT count(*) = 1 FROM assay.turns WHERE state = 0 AND generation > 0")
    await world.send(event)
    await world.send(world.event("news", {"n": 6}))

    assert await world.until_ended(run) == [("completed", "6", None)]
