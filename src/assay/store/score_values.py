"""Reading the scores of a name as values of runs: what rates, means and distributions are made of.

A run counts once, with the mean of its latest scores of the name; booleans are 1 and 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at
from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.store.pages import Reading

_SQL = queries("score_values")
_ID_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Range:
    """When runs were queued: from `after` on, before `before`."""

    after: datetime
    before: datetime

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The ids of runs in it lie between these: they differ from that time a little."""
        return floor_at(self.after - _ID_MARGIN), floor_at(self.before + _ID_MARGIN)

    def values(self) -> dict[str, object]:
        """What queries of runs in it are bound to."""
        first, last = self.ids
        return {
            "after": self.after,
            "before": self.before,
            "first_id": first,
            "last_id": last,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunValue:
    """The value of a name in a run.

    Attributes:
        is_bool: whether all its scores there are booleans.
        at: of the newest of them.
        sessions: of the run, JSON text.
    """

    name: str
    run_id: UUID
    value: float
    is_bool: bool
    at: datetime
    app: str
    fn: str
    queued_at: datetime
    sessions: str | None


@dataclass(frozen=True, slots=True)
class Slice:
    """The newest `limit` runs that have a name, among ids from `first` on and before `next`."""

    name: str
    first: UUID
    next: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The one variant of an experiment that a run was served."""

    run_id: UUID
    experiment: str
    variant: str


async def names(
    cursor: Reading, *, project: int, limit: int, after: str | None = None
) -> Page[str]:
    """A page of the names that are scored or promised, in their order."""
    (last,) = ("",) if after is None else decode("score-names", after, (str,))
    values = {"project": project, "after": last, "limit": limit + 1}
    rows = await fetch(cursor, _SQL["names"], values)
    return page_of("score-names", [str(row["name"]) for row in rows], limit, lambda name: (name,))


async def is_known(cursor: Reading, *, project: int, name: str) -> bool:
    """Whether anything was ever scored or promised under a name."""
    return bool(await fetch(cursor, _SQL["is_known"], {"project": project, "name": name}))


async def of_slices(
    cursor: Reading, slices: Sequence[Slice], *, project: int, within: Range
) -> list[RunValue]:
    """Values of names in the runs of slices that were queued within a range, the newest first."""
    return await _values(cursor, "newest", slices, project=project, within=within)


async def extremes(
    cursor: Reading, slices: Sequence[Slice], *, project: int, within: Range, highest: bool
) -> list[RunValue]:
    """The runs with the lowest or highest values in slices, each giving its `limit` at most."""
    sign = -1 if highest else 1
    found = await _values(cursor, "extreme", slices, project=project, within=within, sign=sign)
    return sorted(found, key=lambda one: sign * one.value)


async def _values(
    cursor: Reading, order: str, slices: Sequence[Slice], *, within: Range, **values: object
) -> list[RunValue]:
    query = compose(_SQL[part] for part in ("values", order, "of_runs"))
    rows = await fetch(cursor, query, values | within.values() | _columns(slices))
    return [RunValue(**row) for row in rows]


def _columns(slices: Sequence[Slice]) -> dict[str, object]:
    return {
        "names": [one.name for one in slices],
        "firsts": [one.first for one in slices],
        "nexts": [one.next for one in slices],
        "limits": [one.limit for one in slices],
    }


async def served(cursor: Reading, *, project: int, runs: Sequence[UUID]) -> list[Served]:
    """What these runs were served by choice, where that was one variant of an experiment."""
    values = {"project": project, "runs": list(runs)}
    return [Served(**row) for row in await fetch(cursor, _SQL["served"], values)]
