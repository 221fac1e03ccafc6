"""Statements of scores by name, and of what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from psycopg import sql

from assay.store.copies.writing import clause, following, given, queued, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.sql import Composable

    from assay.store.outcomes import OutcomeFilter
    from assay.store.score_values import Range

_NAMES = """(
    SELECT name FROM insights.scores WHERE project_id = {project}
    UNION
    SELECT name FROM insights.outcomes WHERE project_id = {project}) AS names
  LEFT JOIN (
    SELECT name, value FROM insights.run_scores
    WHERE {where}) AS scored USING (name)"""
_NUMBERS = """name, count(value) AS runs, avg(value) AS mean,
  min(value) AS least, max(value) AS greatest"""
_VALUES = """run_id, app_id, function_id, queued_at,
  value, is_boolean, at"""
_OUTCOMES = """run_id, defer_id, name, state, scorer, app_id,
  function_id, promised_at, changed_at, due_at, reason,
  score_id, scorer_run_id"""

_OF_SESSION = """run_uuid IN (
    SELECT run_uuid FROM insights.run_sessions
    WHERE project_id = {} AND key = {} AND id = {})"""


def names(project: int, within: Range) -> str:
    """The names that are scored or promised, with the runs in a range: each counts once."""
    where = [clause("project_id = {}", project), *_within(within)]
    source = sql.SQL(_NAMES).format(
        project=sql.Literal(project), where=sql.SQL("\n      AND ").join(where)
    )
    return statement(_NUMBERS, source, where=(), group="name", order="name")


def of_name(project: int, name: str, within: Range) -> str:
    """The runs in a range that have a score, the newest first, each with its value."""
    return statement(
        _VALUES,
        "insights.run_scores",
        where=[
            clause("project_id = {}", project),
            clause("name = {}", name),
            *_within(within),
        ],
        order="run_uuid DESC",
    )


def _within(within: Range) -> Iterator[Composable]:
    return queued(within.after, within.before, "run_uuid")


def outcomes(project: int, filter_: OutcomeFilter, *, after: str | None = None) -> str:
    """The promised scores that fit, after a cursor if there is one: of the newest runs first."""
    key = "run_uuid, defer_id, name"
    return statement(
        _OUTCOMES,
        "insights.outcomes",
        where=[
            *_conditions(project, filter_),
            *following("outcomes", key, after, (UUID, str, str)),
        ],
        order="run_uuid DESC, defer_id DESC, name DESC",
    )


def _conditions(project: int, f: OutcomeFilter) -> Iterator[Composable]:
    yield clause("project_id = {}", project)
    yield from given("run_uuid = {}", f.run)
    yield from given("name = {}", f.name)
    yield from given("state = {}", f.state)
    yield from given("scorer = {}", f.scorer)
    yield from given("app_id = {}", f.app)
    yield from given("function_id = {}", f.function)
    if f.session is not None:
        yield clause(_OF_SESSION, project, *f.session)
    yield from given("run_uuid >= insights.first_uuid({})", f.since)
    yield from given("run_uuid < insights.first_uuid({})", f.until)
    yield from given("promised_at >= {}", f.promised_since)
    yield from given("promised_at < {}", f.promised_until)
    yield from given("state = 'pending' AND due_at < {}", f.overdue)
