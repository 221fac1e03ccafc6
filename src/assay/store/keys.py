"""API keys and projects: control tables, read and written as the tables' owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from assay.store.pool import AsyncConn

_SQL = queries("keys")


class KeyRecord(NamedTuple):
    """A key without its secret: only the hash of that is stored."""

    id: UUID
    project_id: int
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


async def add(connection: AsyncConn, key: KeyRecord, *, hash_: bytes) -> None:
    """Store a new key."""
    await connection.execute(
        _SQL["add"],
        {
            "id": key.id,
            "project": key.project_id,
            "name": key.name,
            "hash": hash_,
            "prefix": key.prefix,
            "now": key.created_at,
        },
    )


async def list_(connection: AsyncConn, *, project: int) -> list[KeyRecord]:
    """All keys of a project, revoked ones too, the oldest first."""
    cursor = await connection.execute(_SQL["list"], {"project": project})
    return [KeyRecord._make(row) for row in await cursor.fetchall()]


async def find(connection: AsyncConn, *, hash_: bytes) -> KeyRecord | None:
    """The live key whose secret has this hash."""
    cursor = await connection.execute(_SQL["find"], {"hash": hash_}, prepare=True)
    row = await cursor.fetchone()
    return KeyRecord._make(row) if row else None


async def live(connection: AsyncConn, *, key: UUID) -> tuple[KeyRecord, bytes] | None:
    """A key that is not revoked, by its id, and the hash of its secret."""
    cursor = await connection.execute(_SQL["live"], {"key": key}, prepare=True)
    row = await cursor.fetchone()
    return (KeyRecord._make(row[:-1]), bytes(row[-1])) if row else None


async def revoke(
    connection: AsyncConn, *, project: int, key: str, now: datetime
) -> list[KeyRecord]:
    """Revoke the live keys with this prefix or id (as UUID text); gives them."""
    cursor = await connection.execute(_SQL["revoke"], {"project": project, "key": key, "now": now})
    return [KeyRecord._make(row) for row in await cursor.fetchall()]


async def any_live(connection: AsyncConn) -> bool:
    """Whether any project has a key that is not revoked."""
    cursor = await connection.execute(_SQL["any_live"])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def name_of_project(connection: AsyncConn, project: int) -> str | None:
    """The name of a project."""
    cursor = await connection.execute(_SQL["project_name"], {"project": project})
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def project_named(connection: AsyncConn, name: str) -> int | None:
    """The id of a project."""
    cursor = await connection.execute(_SQL["project"], {"name": name})
    row = await cursor.fetchone()
    return int(row[0]) if row else None
