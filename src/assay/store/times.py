"""The database's time, which a process learns from time to time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.pool import AsyncConn

_SQL = queries("times")


async def now(connection: AsyncConn) -> datetime:
    """The present instant by the database's clock."""
    cursor = await connection.execute(_SQL["now"])
    row = await cursor.fetchone()
    assert row is not None
    return cast("datetime", row[0])
