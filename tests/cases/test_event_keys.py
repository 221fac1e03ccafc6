"""Idempotency keys of events count for a day, and are deleted afterwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

import assay
from assay.clock import ManualClock
from assay.engine import chores
from assay.store import event_keys
from assay.store.pool import connect
from boxes import start

if TYPE_CHECKING:
    from assay.store.pool import FullConn
    from boxes import OpenBox

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEYS = (
    "INSERT INTO assay.event_keys (project_id, key, event_id, expires_at)"
    " SELECT %s, 'k' || n, gen_random_uuid(), %s + n * interval '1 ms'"
    " FROM generate_series(1, %s) n"
)


def filled(url: str, *, old: int, young: int) -> None:
    """So many keys that no longer count, and that do; another project's are old, too."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(KEYS, (1, NOW - timedelta(hours=1), old + young))
        connection.execute(
            "UPDATE assay.event_keys SET expires_at = %s WHERE ltrim(key, 'k')::int > %s",
            (NOW + timedelta(microseconds=1), old),
        )
        connection.execute(KEYS, (2, NOW - timedelta(hours=1), 5))
        connection.execute("ANALYZE assay.event_keys")


def left(url: str) -> list[tuple[int, int]]:
    """How many keys each project has."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT project_id, count(*) FROM assay.event_keys GROUP BY 1 ORDER BY 1"
        ).fetchall()


async def test_keys_that_no_longer_count_are_deleted_in_batches(assay_database: str) -> None:
    """As the clock says; those of other projects are their workers' chore."""
    filled(assay_database, old=2 * event_keys.BATCH + 7, young=3)
    clock, opened = ManualClock(NOW), asyncio.Semaphore(0)

    async def opens() -> FullConn:
        opened.release()
        return await connect(assay_database)

    _, forgetting = chores.of_project(opens, project=1, clock=clock)
    working = asyncio.create_task(forgetting.run())
    for seconds, kept in ((0, 3), (1, 0)):
        clock.advance(timedelta(seconds=seconds))
        forgetting.poke()
        await opened.acquire()
        forgetting.poke()
        await opened.acquire()
        assert left(assay_database) == [(1, kept), (2, 5)] if kept else [(2, 5)]
    working.cancel()


async def test_a_key_that_is_taken_at_this_moment_is_passed_over(assay_database: str) -> None:
    """The deletion waits for nobody."""
    filled(assay_database, old=2 * event_keys.BATCH, young=1)
    with psycopg.connect(assay_database) as sender:
        sender.execute(
            "SELECT FROM assay.event_keys WHERE project_id = 1 AND key = 'k5' FOR UPDATE"
        )
        async with await connect(assay_database) as connection:
            gone = await event_keys.forget(connection, project=1, now=NOW)
    assert gone == 2 * event_keys.BATCH - 1


async def test_an_event_sent_again_after_the_day_of_its_key_starts_nothing(
    open_box: OpenBox, assay_database: str
) -> None:
    """Its id is known, whether its key is kept still or deleted; and then the key is free."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None: ...

    async with open_box(client) as box:
        sent = await box.send(assay.Event("go", {}, key="order-42"))
        same = assay.Event("go", {}, key="order-42", id=sent.event_ids[0])
        await box.advance("25h")
        assert await box.send(same) == sent
        await box.advance("25h")
        async with await connect(assay_database) as connection:
            assert await event_keys.forget(connection, project=1, now=box.clock.now()) == 1
        assert await box.send(same) == sent
        assert len(await box.runs()) == 1
        await box.advance("25h")
        await start(box, key="order-42")
        assert len(await box.runs()) == 2
