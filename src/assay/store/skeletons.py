"""Reading the narrow columns of a trace: what is needed to draw it, and nothing wide.

Every record holds lists of one length, a row of its table at each place, since a trace of 50,000
spans is read several times faster by column than by row. Instants are microseconds since 1970, runs
the places of their ids in the ascending order in which they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from assay.store.pages import Reading

_SQL = queries("skeletons")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunColumns:
    """The runs of a trace, in the order of their ids."""

    id: list[UUID]
    fn: list[str]
    kind: list[str]
    status: list[str]
    parent_run: list[UUID | None]
    parent_span: list[int | None]
    is_failed: list[bool]
    queued_at: list[datetime]
    started: list[int]
    ended: list[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoColumns:
    """Steps that have their memo, and waits that were given up when the run ended."""

    run: list[int]
    span: list[int]
    name: list[str]
    idx: list[int]
    kind: list[str]
    attempts: list[int]
    is_failed: list[bool]
    is_cancelled: list[bool]
    started: list[int]
    ended: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptColumns:
    """Attempts that gave no memo; those of a body have no name. Those of a step stand together."""

    run: list[int]
    span: list[int]
    name: list[str]
    idx: list[int]
    attempt: list[int]
    is_failed: list[bool]
    started: list[int]
    ended: list[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitColumns:
    """Open waits."""

    run: list[int]
    span: list[int]
    name: list[str]
    idx: list[int]
    kind: list[str]
    is_failed: list[bool]
    started: list[int]
    ended: list[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpanColumns:
    """Spans of user code."""

    run: list[int]
    span: list[int]
    parent: list[int | None]
    name: list[str]
    status: list[str]
    started: list[int]
    ended: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreColumns:
    """The latest scores; `step` is empty where one is about its run."""

    run: list[int]
    subject: list[str]
    step: list[str]
    idx: list[int]
    name: list[str]
    value: list[float]
    is_bool: list[bool]
    at: list[int]


async def trace_of(cursor: Reading, *, project: int, run: UUID) -> UUID | None:
    """The trace that a run is part of, None where there is no such run."""
    rows = await fetch(cursor, _SQL["trace"], {"project": project, "run": run})
    return rows[0]["trace"] if rows else None


async def runs(cursor: Reading, *, project: int, trace: UUID, also: UUID, limit: int) -> RunColumns:
    """The runs of a trace, with one that is known to be of it."""
    values = {"project": project, "trace": trace, "runs": [trace, also], "limit": limit}
    return await _columns(cursor, "runs", RunColumns, values)


async def memos(cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int) -> MemoColumns:
    """The recorded steps of some runs."""
    return await _columns(cursor, "memos", MemoColumns, _of(project, runs, limit))


async def attempts(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> AttemptColumns:
    """The failed and open attempts of some runs."""
    return await _columns(cursor, "attempts", AttemptColumns, _of(project, runs, limit))


async def waits(cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int) -> WaitColumns:
    """The open waits of some runs."""
    return await _columns(cursor, "waits", WaitColumns, _of(project, runs, limit))


async def user_spans(
    cursor: Reading, *, project: int, runs: Sequence[UUID], since: date, limit: int
) -> UserSpanColumns:
    """The spans that user code made in some runs, from a day on."""
    values = {**_of(project, runs, limit), "since": since}
    return await _columns(cursor, "user_spans", UserSpanColumns, values)


async def scores(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> ScoreColumns:
    """The latest scores of some runs and their steps."""
    return await _columns(cursor, "scores", ScoreColumns, _of(project, runs, limit))


def _of(project: int, runs: Sequence[UUID], limit: int) -> dict[str, object]:
    return {"project": project, "runs": list(runs), "limit": limit}


async def _columns(cursor: Reading, name: str, kind: type[T], values: dict[str, object]) -> T:
    (row,) = await fetch(cursor, _SQL[name], values)
    # The columns are named and typed as the fields; an array without elements comes as null.
    return kind(**{field.name: row[field.name] or [] for field in fields(kind)})  # type: ignore[arg-type]
