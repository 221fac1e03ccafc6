"""What apps register: the functions that events may start, until they are gone from the code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pool import FullConn
    from assay.store.turns import Row

_SQL = queries("registrations")


async def register(
    connection: FullConn, rows: Sequence[Row], *, project: int, source: str, now: datetime
) -> int:
    """Make functions known; events that are sent afterwards start them.

    Gives the number of this registration: those that come later have greater ones.
    """
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(_SQL["bump"], {"project": project})
        found = await cursor.fetchone()
        assert found is not None
        registration = int(found[0])
        await cursor.executemany(
            _SQL["register"],
            [
                {
                    **row,
                    "project": project,
                    "source": source,
                    "registration": registration,
                    "now": now,
                    "triggers": json.dumps(row["triggers"]),
                    "options": json.dumps(row["options"]),
                }
                for row in rows
            ],
        )
    return registration


async def retire(connection: FullConn, *, project: int, app: str, now: datetime) -> list[str]:
    """Let events no longer start what an app's code has lost; gives the functions.

    A function is lost when a live worker came after its last registration from the same source
    without it, and no live worker serves it. An app without live workers loses nothing.
    """
    cursor = await connection.execute(_SQL["serving"], {"project": project, "app": app})
    workers = await cursor.fetchall()
    newest: dict[str, int] = {}
    served: set[str] = set()
    for source, functions, registration in workers:
        newest[source] = max(registration, newest.get(source, 0))
        served.update(functions)
    if not newest:
        return []
    async with connection.transaction(), connection.cursor() as writing:
        await writing.execute(
            _SQL["retire"],
            {
                "project": project,
                "app": app,
                "now": now,
                "sources": list(newest),
                "newest": list(newest.values()),
                "served": sorted(served),
            },
        )
        retired = [row[0] for row in await writing.fetchall()]
        if retired:
            await writing.execute(_SQL["bump"], {"project": project})
    return sorted(retired)
