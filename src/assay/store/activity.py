"""What goes on in a project now: its live runs by function, and the names of its newest events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at
from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.pages import Reading

_SQL = queries("activity")
MOST_EVENTS = 10_000
RECENT = timedelta(days=7)
"""How far back names of events are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCount:
    """A function's runs that have not ended."""

    app: str
    fn: str
    queued: int
    running: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """A name of events, and when the last of them was received."""

    name: str
    n: int
    last_at: datetime


async def live(cursor: Reading, *, project: int) -> list[LiveCount]:
    """The runs that have not ended, by function, whenever they began."""
    return [LiveCount(**row) for row in await fetch(cursor, _SQL["live"], {"project": project})]


async def events(cursor: Reading, *, project: int, since: datetime) -> list[EventCount]:
    """The names of recent events, the most frequent first; `MOST_EVENTS` events are looked at."""
    values = {"project": project, "first": floor_at(since), "most": MOST_EVENTS}
    return [EventCount(**row) for row in await fetch(cursor, _SQL["events"], values)]
