"""Statements of events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from assay.store.copies.writing import clause, following, given, statement

_EVENTS = "insights.events"
_COLUMNS = """id, name, received_at, ts, key, source_run_id,
  sessions, data, warning"""
_STARTED = """id, app_id, function_id, status, queued_at,
  duration_s, error"""


def of_filter(
    project: int,
    *,
    name: str | None = None,
    received_after: datetime | None = None,
    received_before: datetime | None = None,
    after: str | None = None,
) -> str:
    """The events that fit, the newest first: of one name by when they were received.

    Those after a cursor, where there is one.
    """
    if name is None:
        later = following("events", "uuid", after, (UUID,))
    else:
        later = following("events", "received_at, uuid", after, (datetime, UUID))
    where = [
        clause("project_id = {}", project),
        *given("name = {}", name),
        *given("received_at >= {}", received_after),
        *given("received_at < {}", received_before),
        *later,
    ]
    return statement(
        _COLUMNS,
        _EVENTS,
        where=where,
        order="uuid DESC" if name is None else "received_at DESC, uuid DESC",
    )


def one(project: int, event: UUID) -> str:
    """An event; the runs that it started."""
    about = clause("project_id = {}", project)
    return "\n\n".join(
        (
            statement(
                "*",
                _EVENTS,
                where=(about, clause("uuid = {}", event)),
                order="uuid",
                limit=None,
                about="the event",
            ),
            statement(
                _STARTED,
                "insights.runs",
                where=(about, clause("event_uuid = {}", event)),
                order="uuid DESC",
                about="the runs that it started",
            ),
        )
    )
