"""Statements of runs: the list by its filters, one with its steps and scores, those of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from psycopg import sql

from assay.store.copies.writing import clause, following, given, queued, statement
from assay.store.runs import LONGEST, RunFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import LiteralString

    from psycopg.sql import Composable


_RUNS = "insights.runs"
_TOOK = "round(duration_s * 1e6)::bigint, uuid"
_COLUMNS = """id, app_id, function_id, status, queued_at,
  started_at, duration_s, tokens, sessions, error"""
_STEPS = """seq, step_id, index, kind, status, attempts,
  started_at, duration_s, output, error"""
_SCORES = """id, name, value, is_boolean, subject, step_id,
  index, at, source, author, rationale"""
_OUTCOMES = """defer_id, name, state, scorer, promised_at,
  due_at, reason, scorer_run_id"""


def of_filter(
    project: int, filter_: RunFilter, *, longest: bool = False, after: str | None = None
) -> str:
    """The runs that fit, the newest first, or those that have ended with the longest first.

    Those after a cursor of that order, where there is one.
    """
    where = [*_conditions(project, filter_)]
    if longest:
        where.append(clause("duration_s >= 0"))
        where += following(LONGEST, _TOOK, after, (int, UUID))
    else:
        where += following("runs", "uuid", after, (UUID,))
    order: LiteralString = "duration_s DESC, uuid DESC" if longest else "uuid DESC"
    return statement(_COLUMNS, _RUNS, where=where, order=order)


def of_session(project: int, key: str, id_: str) -> str:
    """The runs of a session in the order of time."""
    return statement(
        _COLUMNS,
        _RUNS,
        where=_conditions(project, RunFilter(session_key=key, session_id=id_)),
        order="uuid",
        about="its runs",
    )


def one(project: int, run: UUID) -> str:
    """A run; its steps; its scores; what it promised."""
    about = clause("project_id = {}", project)
    of_run = (about, clause("run_uuid = {}", run))
    return "\n\n".join(
        (
            statement(
                "*",
                _RUNS,
                where=(about, clause("uuid = {}", run)),
                order="uuid",
                limit=None,
                about="the run",
            ),
            statement(
                _STEPS,
                "insights.steps",
                where=of_run,
                order="seq",
                about="its steps that have ended",
            ),
            statement(
                _SCORES,
                "insights.scores",
                where=of_run,
                order="subject DESC, step_id DESC NULLS LAST, index DESC, name DESC",
                about="its latest scores",
            ),
            statement(
                _OUTCOMES,
                "insights.outcomes",
                where=of_run,
                order="defer_id DESC, name DESC",
                about="the scores that it promised",
            ),
        )
    )


def two(project: int, a: UUID, b: UUID) -> str:
    """Two runs; what is of one name in them in rows that follow each other; their variants."""
    about = clause("project_id = {}", project)
    of_both = (about, clause("run_uuid IN ({}, {})", a, b))
    return "\n\n".join(
        (
            statement(
                _COLUMNS + ",\n  output",
                _RUNS,
                where=(about, clause("uuid IN ({}, {})", a, b)),
                order="uuid",
                limit=None,
                about="the two runs",
            ),
            statement(
                "step_id, index, run_id, kind, status, duration_s,\n  started_at, output, error",
                "insights.steps",
                where=of_both,
                order="step_id, index, run_uuid",
                about="their steps that have ended",
            ),
            statement(
                "name, step_id, index, run_id, value, is_boolean, at",
                "insights.scores",
                where=of_both,
                order="name, step_id, index, run_uuid",
                about="their latest scores",
            ),
            statement(
                "experiment, index, run_id, variant, unit, epoch",
                "insights.exposures",
                where=of_both,
                order="experiment, index, run_uuid",
                about="the variants that they were served",
            ),
        )
    )


def _conditions(project: int, filter_: RunFilter) -> Iterator[Composable]:
    f = filter_
    yield clause("project_id = {}", project)
    yield from given("function_id = {}", f.function)
    yield from given("app_id = {}", f.app)
    yield from given("status = {}", f.status)
    if f.session_key is not None:
        session = [*given("o.key = {}", f.session_key), *given("o.id = {}", f.session_id)]
        yield _any("insights.run_sessions", project, session)
    if f.score is not None:
        yield _any("insights.scores", project, _score(f))
    if f.experiment is not None:
        yield _any("insights.exposures", project, _exposure(f))
    yield from queued(f.queued_after, f.queued_before)


def _exposure(f: RunFilter) -> Iterator[Composable]:
    yield from given("o.experiment = {}", f.experiment)
    yield from given("o.variant = {}", f.variant)
    yield from given("o.unit = {}", f.unit)
    yield from given("o.forced = {}", f.forced)
    yield from given("(o.unit IS NULL) = {}", f.without_unit)
    yield from given("o.at >= {}", f.exposed_after)
    yield from given("o.at < {}", f.exposed_before)


def _score(f: RunFilter) -> Iterator[Composable]:
    yield from given("o.name = {}", f.score)
    yield from given("o.value >= {}", f.score_min)
    yield from given("o.value <= {}", f.score_max)
    if f.score_is is not None:
        yield clause("o.is_boolean AND o.value = {}", int(f.score_is))


def _any(of: LiteralString, project: int, where: Iterable[Composable]) -> Composable:
    conditions = [
        clause("o.project_id = {}", project),
        clause("o.run_uuid = runs.uuid"),
        *where,
    ]
    return sql.SQL("EXISTS (\n    SELECT FROM {of} AS o\n    WHERE {where})").format(
        of=sql.SQL(of), where=sql.SQL("\n      AND ").join(conditions)
    )
