"""Scores: recording them, and reading the latest of each subject or all that were ever given."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.model.experiments import ExperimentRef
    from assay.store.pages import Reading
    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_SQL = queries("scores")
_LATEST_KEY = ("after_run", "after_subject", "after_step", "after_idx", "after_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A use of an experiment that a score counts for, or names in vain.

    Attributes:
        counted: false where the run was not served what the score names.
    """

    experiment: str
    variant: str
    index: int
    counted: bool


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
    attributions: tuple[Attribution, ...]


def reference_columns(reference: ExperimentRef | None) -> Row:
    """The columns of `assay.record_scores` that say which exposure a score names."""
    if reference is None:
        return {}
    return {
        "ref_experiment": reference.experiment,
        "ref_variant": reference.variant,
        "ref_idx": reference.index,
    }


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
        key = decode("scores", after, (UUID, str, str, int, str))
        values |= dict(zip(_LATEST_KEY, key, strict=True))
    rows = await fetch(cursor, _query(*parts, "latest_newest"), values)
    return page_of(
        "scores",
        await _records(cursor, rows, project=project),
        limit,
        lambda s: (s.run_id, s.subject, s.step, s.idx, s.name),
    )


async def latest_of_runs(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> list[ScoreRecord]:
    """The latest scores of some runs and their steps, those of the newest runs first."""
    values = {"project": project, "runs": list(runs), "limit": limit}
    rows = await fetch(cursor, _query("latest", "latest_of_runs", "latest_newest"), values)
    return await _records(cursor, rows, project=project)


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
        (values["after"],) = decode("score-history", after, (UUID,))
    rows = await fetch(cursor, _query(*parts, "all_newest"), values)
    records = await _records(cursor, rows, project=project)
    return page_of("score-history", records, limit, lambda score: (score.id,))


async def of_runs(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> list[ScoreRecord]:
    """All scores of some runs, the newest first."""
    values = {"project": project, "runs": list(runs), "limit": limit}
    rows = await fetch(cursor, _query("all", "all_of_runs", "all_newest"), values)
    return await _records(cursor, rows, project=project)


async def _records(cursor: Reading, rows: Sequence[Row], *, project: int) -> list[ScoreRecord]:
    """Rows of scores as records, with what those about runs count for."""
    about_runs = [row for row in rows if row["subject"] == "run"]
    found: dict[UUID, list[Attribution]] = defaultdict(list)
    if about_runs:
        values = {
            "project": project,
            "ids": [row["id"] for row in about_runs],
            "names": [row["name"] for row in about_runs],
            "runs": [row["run_id"] for row in about_runs],
        }
        for row in await fetch(cursor, _SQL["attributions"], values):
            found[row.pop("score_id")].append(Attribution(**row))
    return [ScoreRecord(**row, attributions=tuple(found.get(row["id"], ()))) for row in rows]


def _query(*names: str) -> str:
    return compose(_SQL[name] for name in names)
