"""The leases under which a process that is no worker writes: what it leaves undone is swept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg

from assay.store import leases as store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from assay.ids import Ids
    from assay.store.pool import AsyncConn, Link

_log = logging.getLogger("assay.engine")
RENEWALS = 3
"""How often in its time a lease is renewed."""


class Leases:
    """One lease for each project that the process has written in, renewed by one task.

    Args:
        link: for the renewals.
        lease_s: how long a process that says nothing is believed to live, in seconds.
    """

    def __init__(self, link: Link, *, ids: Ids, lease_s: float) -> None:
        self._link = link
        self._ids = ids
        self._lease_s = lease_s
        self._held: dict[int, UUID] = {}
        self._beginning = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def held(self, connection: AsyncConn, project: int) -> AsyncIterator[UUID]:
        """Hold the project's lease for a block that writes; gives its id.

        After an error the lease is left to run out, so that whatever was committed without what
        has to follow it is looked at by a worker; the next block holds another one.
        """
        id_ = self._held.get(project) or await self._begin(connection, project)
        try:
            yield id_
        except BaseException:
            self._drop(project, id_)
            raise

    async def close(self) -> None:
        """Leave in good order, where the database answers."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
        if self._held:
            with contextlib.suppress(psycopg.Error):
                await store.leave(await self._link.get(), list(self._held.values()))
        await self._link.close()

    async def _begin(self, connection: AsyncConn, project: int) -> UUID:
        async with self._beginning:
            if project not in self._held:
                id_ = self._ids.new()
                await store.register(connection, id_, project=project, lease_s=self._lease_s)
                self._held[project] = id_
            if self._renewing is None:
                self._renewing = asyncio.get_running_loop().create_task(self._renew())
            return self._held[project]

    def _drop(self, project: int, id_: UUID) -> None:
        if self._held.get(project) == id_:
            del self._held[project]

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / RENEWALS)
            held = dict(self._held)
            try:
                alive = await store.renew(
                    await self._link.get(), list(held.values()), lease_s=self._lease_s
                )
            except psycopg.Error as error:
                _log.warning("leases were not renewed: %s", error)
                continue
            for project, id_ in held.items():
                if id_ not in alive:
                    # It was taken for lost, and what it had left undone was looked at.
                    self._drop(project, id_)
