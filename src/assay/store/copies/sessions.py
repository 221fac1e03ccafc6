"""Statements of sessions: the keys in use, and the sessions of a key."""

from __future__ import annotations

from assay.store.copies.writing import clause, statement

_SESSIONS = "insights.sessions"
_COLUMNS = """key, id, run_count, failed_run_count,
  ended_run_count, last_active_at, functions"""


_COUNTS = """key, count(*) AS session_count,
  sum(run_count)::bigint AS run_count"""


def keys(project: int) -> str:
    """The session keys, in their order."""
    return statement(
        _COUNTS,
        _SESSIONS,
        where=[clause("project_id = {}", project)],
        group="key",
        order="key",
    )


def of_key(project: int, key: str) -> str:
    """The sessions of a key, those with the newest run first."""
    return statement(
        _COLUMNS,
        _SESSIONS,
        where=[clause("project_id = {}", project), clause("key = {}", key)],
        order="newest_run_uuid DESC, id DESC",
    )


def one(project: int, key: str, id_: str) -> str:
    """A session."""
    return statement(
        _COLUMNS,
        _SESSIONS,
        where=[
            clause("project_id = {}", project),
            clause("key = {}", key),
            clause("id = {}", id_),
        ],
        order="key, id",
        limit=None,
        about="the session",
    )
