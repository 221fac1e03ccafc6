"""Whether anything has happened in a project, asked so cheaply that it can be asked each second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from uuid import UUID

    from assay.store.pages import Reading

_SQL = queries("pulse")
MOST_TURNS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The newest of each kind, and a hash of how the newest live runs stand.

    Two that are equal may hide a change of a run that has been live for long: this is a hint.
    """

    run: UUID | None
    event: UUID | None
    score: UUID | None
    turns: int | None


async def pulse(cursor: Reading, *, project: int) -> Pulse:
    """A project's pulse: four index scans, whatever the project's size."""
    (row,) = await fetch(cursor, _SQL["pulse"], {"project": project, "most": MOST_TURNS})
    return Pulse(**row)
