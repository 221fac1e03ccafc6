"""The connection of hot paths: many statements in flight, errors among them, a lost server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from assay.store.direct import AsyncConn, DirectConnection
from assay.store.pool import Link
from races.world import World, raced

if TYPE_CHECKING:
    from assay.store.direct import Params

# A cluster is asked through psycopg's own connection.
pytestmark = pytest.mark.one_server

LARGE = 5_000_000
HOLD = "SELECT pg_advisory_lock(7)"
PID = "SELECT pg_backend_pid()"


async def direct(world: World) -> DirectConnection:
    """One more connection."""
    return DirectConnection(await world.connect())


async def first(connection: AsyncConn, query: str, params: Params = None) -> Any:
    """The first column of the first row."""
    row = await (await connection.execute(query, params)).fetchone()
    assert row is not None
    return row[0]


async def held(world: World, connection: AsyncConn) -> tuple[asyncio.Task[Any], AsyncConn]:
    """A statement of the connection that waits for a lock, and the connection that holds it."""
    holder = await world.connect()
    await holder.execute(HOLD)
    waiting = asyncio.create_task(first(connection, HOLD))
    await world.until_blocked("pg_advisory_lock")
    return waiting, holder


@raced
async def test_values_go_there_and_back(world: World) -> None:
    """By place and by name, the same one twice, arrays, nulls, and a percent sign."""
    connection = await direct(world)
    id_, at = UUID(int=7), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    by_place = await connection.execute(
        "SELECT %s::uuid, %s::timestamptz, %s::text, %s::int[], 7 %% 4", (id_, at, None, [1, 2])
    )
    by_name = await connection.execute(
        "SELECT %(a)s::text, %(b)s::int, %(a)s::text", {"b": 1, "a": "x"}
    )

    assert await by_place.fetchall() == [(id_, at, None, [1, 2], 3)]
    assert await by_place.fetchone() is None
    assert await by_name.fetchone() == ("x", 1, "x")
    assert await first(connection, "SELECT '{\"a\": [1]}'::json") == {"a": [1]}


@raced
async def test_each_statement_gets_its_own_answer_in_order(world: World) -> None:
    """A hundred in flight at once."""
    connection = await direct(world)
    asked = [first(connection, "SELECT %s::int", (number,)) for number in range(100)]

    assert await asyncio.gather(*asked) == list(range(100))


@raced
async def test_a_failed_statement_fails_alone(world: World) -> None:
    """Each is a transaction: those before and after it in flight are carried out."""
    connection = await direct(world)
    await world.looking.execute("CREATE TABLE kept (id int PRIMARY KEY)")
    insert = "INSERT INTO kept VALUES (%s) RETURNING id"
    answers = await asyncio.gather(
        *[first(connection, insert, (number,)) for number in (1, 1, 2)], return_exceptions=True
    )
    kept = await world.rows("SELECT id FROM kept ORDER BY id")
    await world.looking.execute("DROP TABLE kept")

    assert [answers[0], answers[2]] == [1, 2]
    assert isinstance(answers[1], psycopg.errors.UniqueViolation)
    assert kept == [(1,), (2,)]


@raced
async def test_what_could_not_be_prepared_is_prepared_again(world: World) -> None:
    """Also by those that were sent while its first preparation was in flight."""
    connection = await direct(world)
    query = "SELECT count(*) FROM later WHERE %s::int IS NULL"
    answers = await asyncio.gather(
        *[first(connection, query, (1,)) for _ in range(2)], return_exceptions=True
    )
    await world.looking.execute("CREATE TABLE later (id int)")
    count = await first(connection, query, (1,))
    await world.looking.execute("DROP TABLE later")

    assert isinstance(answers[0], psycopg.errors.UndefinedTable)
    assert isinstance(answers[1], psycopg.Error)
    assert count == 0


@raced
async def test_what_gives_other_columns_than_before_is_prepared_again(world: World) -> None:
    """The server refuses it once; nothing was carried out."""
    connection = await direct(world)
    await world.looking.execute("CREATE TABLE grown AS SELECT 1 AS a")
    await first(connection, "SELECT * FROM grown")
    await world.looking.execute("ALTER TABLE grown ADD COLUMN b int")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        await first(connection, "SELECT * FROM grown")
    row = await (await connection.execute("SELECT * FROM grown")).fetchone()
    await world.looking.execute("DROP TABLE grown")

    assert row == (1, None)


@raced
async def test_large_values_both_ways(world: World) -> None:
    """More than any buffer holds, sent while as much comes back."""
    connection = await direct(world)
    text = "x" * LARGE
    asked = [first(connection, "SELECT %s::text", (text,)) for _ in range(4)]

    assert [answer == text for answer in await asyncio.gather(*asked)] == [True] * 4


@raced
async def test_a_cancelled_task_leaves_the_others_their_answers(world: World) -> None:
    """Its statement is carried out; its answer goes to nobody."""
    connection = await direct(world)
    waiting, holder = await held(world, connection)
    after = asyncio.create_task(first(connection, "SELECT 1"))
    await asyncio.sleep(0)
    waiting.cancel()
    await holder.execute("SELECT pg_advisory_unlock(7)")

    assert await after == 1
    assert waiting.cancelled()
    assert await first(connection, "SELECT pg_advisory_unlock(7)") is True


@raced
async def test_a_backend_that_is_ended_fails_all_that_is_in_flight(world: World) -> None:
    """Nobody can tell what became of it; the link opens another connection."""
    link = Link(world.url, is_hot=True)
    connection = await link.get()
    waiting, _ = await held(world, connection)
    after = [asyncio.create_task(first(connection, "SELECT 1")) for _ in range(3)]
    await asyncio.sleep(0)
    await world.rows("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
    answers = await asyncio.gather(waiting, *after, return_exceptions=True)
    is_closed = connection.closed
    again = await first(await link.get(), "SELECT 1")
    await link.close()

    assert isinstance(answers[0], psycopg.errors.AdminShutdown)
    assert [isinstance(one, psycopg.OperationalError) for one in answers] == [True] * 4
    assert is_closed
    assert again == 1
    assert link.openings == 2


@raced
async def test_a_backend_that_is_ended_while_idle_is_noticed(world: World) -> None:
    """The next use finds it closed instead of failing."""
    connection = await direct(world)
    await world.rows("SELECT pg_terminate_backend(%s)", await first(connection, PID))
    await world.until(lambda: _true(connection.closed))

    with pytest.raises(psycopg.OperationalError, match="closed"):
        await connection.execute("SELECT 1")


@raced
async def test_closing_fails_what_is_in_flight(world: World) -> None:
    """Whoever waits is told, and closing twice is no error."""
    connection = await direct(world)
    waiting, _ = await held(world, connection)
    await connection.close()
    await connection.close()

    with pytest.raises(psycopg.OperationalError, match="closed"):
        await waiting


@raced
async def test_notices_do_no_harm(world: World) -> None:
    """They come between results."""
    connection = await direct(world)
    await connection.execute("DO $$ BEGIN RAISE WARNING 'heard'; END $$")

    assert await first(connection, "SELECT 1") == 1


async def _true(value: object) -> object:
    return value
