"""Workers: the processes that claim turns, each with a lease of one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.store.pool import AsyncConn, Conn

_SQL = queries("workers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serves:
    """What a process serves; by default nothing, as one that only takes in events.

    Attributes:
        source: which files the functions are from.
        registration: the number of their registration.
    """

    app: str | None = None
    source: str = ""
    functions: tuple[str, ...] = ()
    registration: int = 0

    def row(self) -> dict[str, object]:
        """As a worker's row has it."""
        return {
            "app": self.app,
            "source": self.source,
            "fns": list(self.functions),
            "registration": self.registration,
        }


class LostWorker(NamedTuple):
    """A worker whose lease ran out."""

    id: UUID
    lease_until: datetime


def register(
    connection: Conn,
    id: UUID,
    *,
    project: int,
    serves: Serves,
    host: str,
    pid: int,
    lease_s: float,
) -> None:
    """Make a process known, with a lease from now on."""
    connection.execute(
        _SQL["register"],
        {
            "id": id,
            "project": project,
            **serves.row(),
            "host": host,
            "pid": pid,
            "lease_s": lease_s,
        },
    )


def heartbeat(connection: Conn, id: UUID, *, lease_s: float) -> datetime | None:
    """Renew a lease; gives the database's time, or None where the worker was marked lost."""
    row = connection.execute(_SQL["heartbeat"], {"id": id, "lease_s": lease_s}).fetchone()
    return row[0] if row else None


def leave(connection: Conn, id: UUID) -> None:
    """Forget a worker that ends in good order."""
    connection.execute(_SQL["leave"], {"id": id})


async def expire(connection: AsyncConn, ids: Sequence[UUID], *, until: datetime) -> None:
    """Let leases have run out at an instant, or just now if that is still to come."""
    await connection.execute(_SQL["expire"], {"ids": list(ids), "until": until})


async def set_idle(connection: AsyncConn, id: UUID, *, idle: bool) -> None:
    """Say whether a hint would find the worker waiting."""
    await connection.execute(_SQL["set_idle"], {"id": id, "idle": idle}, prepare=True)


async def mark_lost(connection: AsyncConn, *, project: int) -> list[LostWorker]:
    """Mark workers whose lease ran out as lost; gives all that are lost and not yet forgotten."""
    await connection.execute(_SQL["mark_lost"], {"project": project})
    cursor = await connection.execute(_SQL["lost"], {"project": project})
    return [LostWorker._make(row) for row in await cursor.fetchall()]


async def alive(connection: AsyncConn, *, project: int) -> set[UUID]:
    """The workers that are not lost."""
    cursor = await connection.execute(_SQL["alive"], {"project": project})
    return {row[0] for row in await cursor.fetchall()}


async def forget(connection: AsyncConn, lost: Sequence[UUID]) -> None:
    """Delete lost workers after whom everything was looked."""
    await connection.execute(_SQL["forget"], {"ids": list(lost)})
