"""Leases of processes that are no workers: many of one process are renewed at once."""

from __future__ import annotations

from os import getpid
from socket import gethostname
from typing import TYPE_CHECKING

from assay.store.queries import queries
from assay.store.workers import Serves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from assay.store.pool import AsyncConn

_SQL = queries("workers")


async def register(connection: AsyncConn, id: UUID, *, project: int, lease_s: float) -> None:
    """Begin a lease."""
    await connection.execute(
        _SQL["register"],
        {
            "id": id,
            "project": project,
            **Serves().row(),
            "host": gethostname(),
            "pid": getpid(),
            "lease_s": lease_s,
        },
    )


async def renew(connection: AsyncConn, ids: Sequence[UUID], *, lease_s: float) -> set[UUID]:
    """Renew leases; gives those that still held."""
    cursor = await connection.execute(_SQL["renew"], {"ids": list(ids), "lease_s": lease_s})
    return {row[0] for row in await cursor.fetchall()}


async def leave(connection: AsyncConn, ids: Sequence[UUID]) -> None:
    """End leases in good order: nothing was left undone under them."""
    await connection.execute(_SQL["leave_all"], {"ids": list(ids)})
