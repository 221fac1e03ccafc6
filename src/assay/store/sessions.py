"""Reading sessions: the pairs that group runs, with what became of those runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from assay.store.pages import Page, compose, decode, encode, fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pages import Reading

_SQL = queries("sessions")
_NEWEST = 5_000
"""Among so many of the newest runs the newest sessions are looked for first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session and its runs in numbers.

    Attributes:
        ended_run_count: what a rate of failures is a share of; live runs have no end yet.
        functions: ids of the functions that its runs are of.
    """

    key: str
    value: str
    run_count: int
    failed_run_count: int
    ended_run_count: int
    last_active_at: datetime
    functions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreNumbers:
    """A score's latest values over the runs of a session, one number a run (its mean there).

    Attributes:
        n: runs that have it. `n_bool`: those where it is a boolean throughout.
        true_share: among the `n_bool`, None where there are none.
    """

    key: str
    id: str
    name: str
    n: int
    mean: float
    least: float
    greatest: float
    n_bool: int
    true_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseCount:
    """How many outcomes of a name are in a state."""

    name: str
    state: str
    n: int


async def page(
    cursor: Reading,
    *,
    project: int,
    key: str,
    limit: int,
    after: str | None = None,
) -> Page[SessionRecord]:
    """A page of the sessions of a key, by their newest run.

    All pages of a list show which run was the newest as of its first page, so that a session
    that gets a run meanwhile is neither missed nor shown twice.
    """
    values: dict[str, object] = {"project": project, "key": key, "limit": limit + 1}
    values |= {"most": _NEWEST, "after_run": None}
    as_of: UUID | None = None
    if after is not None:
        as_of, *last = decode("sessions", after, (UUID, UUID, str, str))
        values |= {"as_of": as_of}
        values |= dict(zip(("after_run", "after_key", "after_value"), last, strict=True))
    parts = [
        "list",
        *(["as_of"] if after is not None else []),
        "latest_runs",
        *(["after"] if after is not None else []),
        "newest_first",
    ]
    newest = ["newest", *(["as_of_newest"] if after is not None else []), "newest_end"]
    rows = await fetch(cursor, compose(_SQL[part] for part in newest), values)
    if len(rows) <= limit:
        # The newest runs are not of so many sessions of the key: look at all that carry it.
        rows = await fetch(cursor, compose(_SQL[part] for part in parts), values)
    shown = rows[:limit]
    if not shown:
        return Page([], None)
    pairs = [(row["key"], row["value"]) for row in shown]
    found = {(s.key, s.value): s for s in await summaries(cursor, project=project, pairs=pairs)}
    last_shown = shown[-1]
    position = (
        as_of or shown[0]["run_id"],
        last_shown["run_id"],
        last_shown["key"],
        last_shown["value"],
    )
    return Page(
        [found[pair] for pair in pairs if pair in found],
        encode("sessions", position) if len(rows) > limit else None,
    )


async def summaries(
    cursor: Reading, *, project: int, pairs: Sequence[tuple[str, str]]
) -> list[SessionRecord]:
    """These sessions, those that have runs."""
    rows = await fetch(
        cursor,
        _SQL["summaries"],
        {
            "project": project,
            "keys": [key for key, _ in pairs],
            "ids": [value for _, value in pairs],
        },
    )
    return [SessionRecord(**row) for row in rows]


async def scores(
    cursor: Reading, *, project: int, pairs: Sequence[tuple[str, str]]
) -> list[ScoreNumbers]:
    """The scores of some sessions' runs, by session and name."""
    values = {
        "project": project,
        "keys": [key for key, _ in pairs],
        "ids": [id_ for _, id_ in pairs],
    }
    return [ScoreNumbers(**row) for row in await fetch(cursor, _SQL["scores"], values)]


async def promises(cursor: Reading, *, project: int, key: str, id_: str) -> list[PromiseCount]:
    """The outcomes promised by a session's runs, by name and state."""
    rows = await fetch(cursor, _SQL["promises"], {"project": project, "key": key, "id": id_})
    return [PromiseCount(**row) for row in rows]
