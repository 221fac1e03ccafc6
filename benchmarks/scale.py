"""A project with a million runs of four weeks, made by the database itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from assay.ids import to_text
from assay.store import partitions
from assay.store.migrations import migrate, statements
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from uuid import UUID

    from assay.store.pool import Conn

DAYS = 28
SCRIPT = Path(__file__).with_name("scale.sql")


def fill(url: str, *, runs: int, live: int = 500) -> dict[str, str]:
    """Fill an empty database; gives what is worth looking at in it, by the words paths use."""
    now = datetime.now(UTC)
    values = {"count": runs, "live": live, "now": now.timestamp(), "gap": DAYS * 86400 / runs}
    with connect_blocking(url) as connection:
        migrate(connection, now=now)
        for week in range(DAYS // 7 + 1):
            partitions.add(connection, now - timedelta(weeks=week))
        connection.execute("SET synchronous_commit TO off")
        for statement in statements(SCRIPT.read_text()):
            connection.execute(statement.format(**values))
        connection.execute("VACUUM (ANALYZE)")
        return {
            "run": to_text(_id(connection, runs - live - 5, "run")),
            "event": to_text(_id(connection, runs - live - 5, "event")),
            "conversation": f"c{(runs - live) // 5}",
            "account": "a42",
            "trace": to_text(_id(connection, runs - live - 6, "run")),
        }


def _id(connection: Conn, number: int, kind: str) -> UUID:
    row = connection.execute("SELECT pg_temp.id(%s, %s)", (number, kind)).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found
