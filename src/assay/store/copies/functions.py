"""Statements of functions."""

from __future__ import annotations

from assay.store.copies.writing import clause, statement

_COLUMNS = """app_id, id, kind, version, triggers, options,
  registered_at, retired_at"""


def all_of(project: int) -> str:
    """The functions of all apps, by app and id."""
    return statement(
        _COLUMNS,
        "insights.functions",
        where=[clause("project_id = {}", project)],
        order="app_id, id",
    )
