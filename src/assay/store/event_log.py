"""Reading events: one, or a list with the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.store.pages import Reading

_SQL = queries("event_log")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event as it is stored; `data` is JSON text.

    Attributes:
        duplicate_of: the event that had its key, so that this one did nothing.
        warning: what was changed in its data, or why it started less than it could have.
    """

    id: UUID
    name: str
    data: str
    sessions: dict[str, str] | None
    ts: datetime
    received_at: datetime
    key: str | None
    duplicate_of: UUID | None
    source_run: UUID | None
    warning: str | None


async def page(
    cursor: Reading,
    *,
    project: int,
    limit: int,
    name: str | None = None,
    received_after: datetime | None = None,
    received_before: datetime | None = None,
    after: str | None = None,
    with_data: bool = True,
) -> Page[EventRecord]:
    """A page of events: of one name by when they were received, else by id, the newest first."""
    values: dict[str, object] = {
        "project": project,
        "name": name,
        "received_after": received_after,
        "received_before": received_before,
        "limit": limit + 1,
        "with_data": with_data,
    }
    filters = ("name", "received_after", "received_before")
    parts = ["list"]
    parts += [part.replace("name", "by_name") for part in filters if values[part] is not None]
    # Only within a name is there an index by time of receipt.
    if name is None:
        if after is not None:
            parts.append("after_id")
            (values["after"],) = decode("events", after, (UUID,))
        parts.append("newest_ids")
    else:
        if after is not None:
            parts.append("after_received")
            values["after_at"], values["after"] = decode("events", after, (datetime, UUID))
        parts.append("newest_received")
    rows = await fetch(cursor, compose(_SQL[part] for part in parts), values)
    return page_of(
        "events",
        [EventRecord(**row) for row in rows],
        limit,
        lambda event: (event.id,) if name is None else (event.received_at, event.id),
    )


async def find(cursor: Reading, *, project: int, event: UUID) -> EventRecord | None:
    """One event, None where there is none."""
    query = compose((_SQL["list"], _SQL["by_id"]))
    values = {"project": project, "event": event, "with_data": True}
    rows = await fetch(cursor, query, values)
    return EventRecord(**rows[0]) if rows else None


async def previews(
    cursor: Reading, *, project: int, events: Sequence[UUID], most: int
) -> dict[UUID, str]:
    """The first characters of some events' data as JSON text."""
    values = {"project": project, "events": list(events), "most": most}
    rows = await fetch(cursor, _SQL["previews"], values)
    return {row["id"]: row["preview"] for row in rows}


async def consequences(
    cursor: Reading, *, project: int, events: Sequence[UUID]
) -> dict[UUID, tuple[int, int]]:
    """How many runs some events started, and how many runs' waits they ended."""
    values = {"project": project, "events": list(events)}
    started = {row["id"]: row["n"] for row in await fetch(cursor, _SQL["started"], values)}
    woken = {row["id"]: row["n"] for row in await fetch(cursor, _SQL["woken"], values)}
    return {event: (started.get(event, 0), woken.get(event, 0)) for event in events}


async def names(cursor: Reading, *, project: int, events: Sequence[UUID]) -> dict[UUID, str]:
    """The names of some events."""
    rows = await fetch(cursor, _SQL["names"], {"project": project, "events": list(events)})
    return {row["id"]: row["name"] for row in rows}
