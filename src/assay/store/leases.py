"""A lease for a moment: a process that is no worker claims a turn, and may die of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from os import getpid
from socket import gethostname
from typing import TYPE_CHECKING

from assay.store.queries import queries
from assay.store.workers import Serves

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from assay.store.pool import AsyncConn

_SQL = queries("workers")
LEASE_S = 10.0


@asynccontextmanager
async def lease(connection: AsyncConn, *, process: UUID, project: int) -> AsyncIterator[UUID]:
    """Hold a lease under an id; gives the id.

    After an error the lease is left to run out: then whatever is still claimed under the id is
    taken over, which nobody would do for an id that is gone.
    """
    await connection.execute(
        _SQL["register"],
        {
            "id": process,
            "project": project,
            **Serves().row(),
            "host": gethostname(),
            "pid": getpid(),
            "lease_s": LEASE_S,
        },
    )
    yield process
    await connection.execute(_SQL["leave"], {"id": process})
