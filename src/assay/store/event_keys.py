"""Idempotency keys of events, which count for a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.pool import FullConn

_SQL = queries("event_keys")
BATCH = 1_000


async def forget(connection: FullConn, *, project: int, now: datetime) -> int:
    """Delete keys that no longer count, a batch a transaction; gives how many.

    Those that somebody takes anew at this moment are passed over: nobody waits.
    """
    forgotten = 0
    values = {"project": project, "now": now, "limit": BATCH}
    while True:
        deleted = (await connection.execute(_SQL["forget"], values)).rowcount
        forgotten += deleted
        if deleted < BATCH:
            return forgotten
