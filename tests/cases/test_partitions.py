"""Partitions are made ahead of time, and a late one never stands in the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at
from assay.store import partitions
from assay.store.migrations import migrate
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from uuid import UUID

NOW = datetime(2026, 3, 4, tzinfo=UTC)
_INSERT = (
    "INSERT INTO assay.events (project_id, id, name, data, ts, received_at, matched)"
    " VALUES (1, %s, 'late', '{}', now(), now(), true)"
)


def partition_of(url: str, event: UUID) -> str:
    """The partition that an event stands in."""
    with connect_blocking(url) as connection:
        row = connection.execute(
            "SELECT c.relname FROM assay.events e JOIN pg_class c ON c.oid = e.tableoid"
            " WHERE e.id = %s",
            (event,),
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_running_process_makes_the_weeks_to_come(database: str) -> None:
    """Five weeks from this one on; the next week adds one to each table."""
    with connect_blocking(database) as connection:
        migrate(connection, now=NOW)

        assert partitions.add(connection, NOW) == []

        made = partitions.add(connection, NOW + timedelta(weeks=1))
        assert {
            f"{table}_20260406"
            for table in ("events", "runs", "journal", "attempts", "scores", "user_spans")
        } == set(made)
        event = floor_at(datetime(2026, 4, 7, tzinfo=UTC))
        connection.execute(_INSERT, (event,))

    assert partition_of(database, event) == "events_20260406"


def test_a_week_whose_rows_are_in_default_is_left_there(database: str) -> None:
    """Nothing ran to make its partition in time: the start goes on, the rows stay readable."""
    event = floor_at(NOW + timedelta(weeks=30))
    with connect_blocking(database) as connection:
        migrate(connection, now=NOW)
        connection.execute(_INSERT, (event,))

        migrate(connection, now=NOW + timedelta(weeks=30))

    assert partition_of(database, event) == "events_default"
