"""Repeated trials: the runs of one session, grouped by another, with what a score says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from assay.store.pages import Reading

_SQL = queries("trials")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """The runs of one unit, such as a task.

    Attributes:
        n: its runs that have the score; 0 where none has.
        passes: those of them where the score is above 0.
    """

    unit: str
    n: int
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much the runs of a session and their scorers left behind.

    Attributes:
        steps: entries of their journals.
        spans: of the engine and of user code.
        scores: all that were given to them, not only the latest.
    """

    steps: int
    spans: int
    scores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The runs that were served one variant, whichever unit they are of and when.

    Attributes:
        answered: of them, those that have the score.
        passes: of these, those where it is above 0.
    """

    variant: str
    runs: int
    answered: int
    passes: int


async def trials(
    cursor: Reading, *, project: int, session: tuple[str, str], by: str, name: str
) -> list[Trials]:
    """The runs of a session by their session of the key `by`, read from the latest scores."""
    values = _session(project, session) | {"by": by, "name": name}
    return [Trials(**row) for row in await fetch(cursor, _SQL["trials"], values)]


async def served(cursor: Reading, *, project: int, experiment: str, name: str) -> dict[str, Served]:
    """The runs of an experiment by variant, with what the latest scores of a name say of them."""
    values = {"project": project, "experiment": experiment, "name": name}
    rows = await fetch(cursor, _SQL["served"], values)
    return {row["variant"]: Served(**row) for row in rows}


async def run_states(cursor: Reading, *, project: int, session: tuple[str, str]) -> dict[str, int]:
    """How many runs of a session ended how; those that have not are `live`. Without scorers."""
    rows = await fetch(cursor, _SQL["runs"], _session(project, session))
    return {row["status"]: row["n"] for row in rows}


async def outcome_states(
    cursor: Reading, *, project: int, session: tuple[str, str]
) -> dict[str, int]:
    """How many outcomes that the runs of a session promised are in which state."""
    rows = await fetch(cursor, _SQL["outcomes"], _session(project, session))
    return {row["state"]: row["n"] for row in rows}


async def volume(cursor: Reading, *, project: int, session: tuple[str, str]) -> Volume:
    """What the runs of a session and their scorers left behind."""
    (row,) = await fetch(cursor, _SQL["volume"], _session(project, session))
    return Volume(**row)


def _session(project: int, session: tuple[str, str]) -> dict[str, object]:
    return {"project": project, "key": session[0], "id": session[1]}
