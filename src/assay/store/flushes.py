"""The writer's connection: one flush, one round trip, one implicit transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.store.queries import queries
from assay.store.turns import Flush, Written

if TYPE_CHECKING:
    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_COMMIT = queries("turns")["commit"]
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str).encode


def _rows(rows: list[Row]) -> str | None:
    return _encode(rows) if rows else None


async def commit(
    connection: AsyncConn, flush: Flush, *, project: int, now: float
) -> list[Written]:
    """Write a flush; gives the runs that held their turn.

    Raises:
        psycopg.OperationalError: connection lost; whether it was written is unknown.
        psycopg.Error: nothing was written.
    """
    cursor = await connection.execute(
        _COMMIT,
        (
            project,
            now,
            _rows(flush.turns),
            _rows(flush.journal),
            _rows(flush.attempts),
            _rows(flush.waits),
            _rows(flush.closed),
            _rows(flush.defers),
            _rows(flush.outcomes),
            _rows(flush.scores),
            _rows(flush.events),
            _rows(flush.runs),
            _rows(flush.finish),
            _rows(flush.park),
            _rows(flush.collect),
        ),
        prepare=True,
    )
    return [Written._make(row) for row in await cursor.fetchall()]
