"""Reading outcomes: the promises of scores, what became of each, and every change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pages import Reading

_SQL = queries("outcomes")
_KEY = ("after_run", "after_defer", "after_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """A promised score and its present state.

    Attributes:
        run_id: the run that promised it. `scorer_run`: the run that is to keep the promise.
        reason: why it is not observed, where that is known.
        due_at: when the scorer's present wait gives up.
    """

    run_id: UUID
    defer_id: str
    name: str
    scorer: str
    state: str
    reason: str | None
    score_id: UUID | None
    promised_at: datetime
    changed_at: datetime
    scorer_run: UUID | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChange:
    """A state that an outcome came into."""

    run_id: UUID
    defer_id: str
    name: str
    state: str
    changed_at: datetime
    reason: str | None
    score_id: UUID | None


async def page(
    cursor: Reading,
    *,
    project: int,
    limit: int,
    run: UUID | None = None,
    name: str | None = None,
    state: str | None = None,
    after: str | None = None,
) -> Page[OutcomeRecord]:
    """A page of outcomes, those of the newest runs first."""
    filters = {"run": run, "name": name, "state": state}
    values: dict[str, object] = {**filters, "project": project, "limit": limit + 1}
    parts = ["list", *(f"by_{field}" for field, value in filters.items() if value is not None)]
    if after is not None:
        parts.append("after")
        values |= dict(zip(_KEY, decode(after, (UUID, str, str)), strict=True))
    query = compose(_SQL[part] for part in (*parts, "newest_first"))
    rows = await fetch(cursor, query, values)
    return page_of(
        [OutcomeRecord(**row) for row in rows], limit, lambda o: (o.run_id, o.defer_id, o.name)
    )


async def of_runs(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> list[OutcomeRecord]:
    """The outcomes that some runs have promised, those of the newest first."""
    values = {"project": project, "runs": list(runs), "limit": limit}
    query = compose(_SQL[part] for part in ("list", "by_runs", "newest_first"))
    return [OutcomeRecord(**row) for row in await fetch(cursor, query, values)]


async def changes(cursor: Reading, *, project: int, runs: Sequence[UUID]) -> list[OutcomeChange]:
    """All changes of the outcomes of some runs, each outcome's in the order of time."""
    rows = await fetch(cursor, _SQL["changes"], {"project": project, "runs": list(runs)})
    return [OutcomeChange(**row) for row in rows]
