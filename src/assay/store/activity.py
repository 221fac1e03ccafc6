"""What goes on in a project: its live runs by function, ended ones, names of its newest events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at
from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

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
class EndedRun:
    """A run that has ended, with its sessions as JSON text."""

    app: str
    fn: str
    is_failed: bool
    sessions: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """A name of events, and when the last of them was received."""

    name: str
    n: int
    last_at: datetime


async def live(cursor: Reading, *, project: int) -> list[LiveCount]:
    """The runs that have not ended, by function, whenever they began."""
    return [LiveCount(**row) for row in await fetch(cursor, _SQL["live"], {"project": project})]


async def ended(
    cursor: Reading, stretches: Sequence[tuple[UUID, UUID, int]], *, project: int
) -> list[EndedRun]:
    """The newest runs that have ended in each of some stretches.

    Args:
        cursor: of a reader of the project.
        stretches: the first id of each, the first one after it, and how many runs at most.
        project: whose runs.
    """
    firsts, nexts, limits = zip(*stretches, strict=True) if stretches else ((), (), ())
    values = {
        "project": project,
        "firsts": list(firsts),
        "nexts": list(nexts),
        "limits": list(limits),
    }
    return [EndedRun(**row) for row in await fetch(cursor, _SQL["ended"], values)]


async def events(cursor: Reading, *, project: int, since: datetime) -> list[EventCount]:
    """The names of recent events, the most frequent first; `MOST_EVENTS` events are looked at."""
    values = {"project": project, "first": floor_at(since), "most": MOST_EVENTS}
    return [EventCount(**row) for row in await fetch(cursor, _SQL["events"], values)]
