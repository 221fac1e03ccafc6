"""Scores: recording them, and reading the latest of each subject or all that were ever given."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pages import Reading
    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_SQL = queries("scores")
_LATEST_KEY = ("after_run", "after_subject", "after_step", "after_idx", "after_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """A score as it is stored; `step` is empty for a score about a run.

    Attributes:
        is_latest: whether it is the one that counts for its subject and name.
        is_orphan: whether it is about a step that its run, now over, never came to.
    """

    id: UUID
    subject: str
    run_id: UUID
    step: str
    idx: int
    attempt: int | None
    name: str
    value: float
    is_bool: bool
    at: datetime
    recorded_at: datetime
    source: str
    source_run: UUID | None
    author: str | None
    rationale: str | None
    is_latest: bool
    is_orphan: bool


async def record(
    connection: AsyncConn, rows: Sequence[Row], *, project: int, now: float
) -> list[UUID]:
    """Write scores in one transaction; gives the ids that were new.

    Args:
        connection: of the tables' owner.
        rows: with the columns of `assay.record_scores`.
        project: whose scores they are.
        now: seconds since 1970.
    """
    cursor = await connection.execute(
        _SQL["record"],
        {"project": project, "now": now, "scores": json.dumps(list(rows), default=str)},
        prepare=True,
    )
    row = await cursor.fetchone()
    return list(row[0]) if row else []


async def latest(
    cursor: Reading,
    *,
    project: int,
    limit: int,
    run: UUID | None = None,
    name: str | None = None,
    after: str | None = None,
) -> Page[ScoreRecord]:
    """The latest score of each subject and name, those of the newest runs first."""
    values: dict[str, object] = {"project": project, "run": run, "name": name, "limit": limit + 1}
    parts = ["latest"]
    if run is not None:
        parts.append("latest_of_run")
    if name is not None:
        parts.append("latest_of_name")
    if after is not None:
        parts.append("latest_after")
        key = decode(after, (UUID, str, str, int, str))
        values |= dict(zip(_LATEST_KEY, key, strict=True))
    rows = await fetch(cursor, _query(*parts, "latest_newest"), values)
    return page_of(
        [ScoreRecord(**row) for row in rows],
        limit,
        lambda s: (s.run_id, s.subject, s.step, s.idx, s.name),
    )


async def history(
    cursor: Reading,
    *,
    project: int,
    limit: int,
    run: UUID | None = None,
    name: str | None = None,
    after: str | None = None,
) -> Page[ScoreRecord]:
    """All scores that were ever given, the newest first."""
    values: dict[str, object] = {"project": project, "run": run, "name": name, "limit": limit + 1}
    parts = ["all"]
    if run is not None:
        parts.append("all_of_run")
    if name is not None:
        parts.append("all_of_name")
    if after is not None:
        parts.append("all_after")
        (values["after"],) = decode(after, (UUID,))
    rows = await fetch(cursor, _query(*parts, "all_newest"), values)
    return page_of([ScoreRecord(**row) for row in rows], limit, lambda score: (score.id,))


async def of_runs(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> list[ScoreRecord]:
    """All scores of some runs, the newest first."""
    values = {"project": project, "runs": list(runs), "limit": limit}
    rows = await fetch(cursor, _query("all", "all_of_runs", "all_newest"), values)
    return [ScoreRecord(**row) for row in rows]


def _query(*names: str) -> str:
    return compose(_SQL[name] for name in names)
