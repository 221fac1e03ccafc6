"""Partitions: a week each, made ahead of time, so that no row has to wait for one.

Rows outside of all weeks go to the DEFAULT partition, and stay there.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from assay.ids import floor_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.store.pool import Conn

_log = logging.getLogger("assay.store")
_BY_ID = ("events", "runs", "journal", "attempts", "scores")
_BY_DAY = ("user_spans",)
_WITH_VALUES = ("events", "runs", "journal")
# Values of a few kB stay in their rows: compressing them and writing them apart costs more.
_INLINE = "toast_tuple_target = 8160"
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_WEEK = timedelta(weeks=1)
WEEKS_AHEAD = 4
_NOT_NOW = (
    psycopg.errors.DuplicateTable,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
)


def add(connection: Conn, now: datetime) -> list[str]:
    """Make what is missing, from this week to four weeks ahead; gives the names that were made.

    Each is made by itself. A week whose rows have gone to DEFAULT already, since nothing was
    running to make its partition, is left to DEFAULT.
    """
    existing = {
        str(row[0])
        for row in connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'assay' AND c.relispartition AND c.relkind = 'r'"
        )
    }
    made = []
    for name, statement in _wanted(now):
        if name in existing:
            continue
        try:
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout TO '2s'")
                connection.execute(statement)
        except psycopg.errors.CheckViolation:
            _log.warning("the rows of partition %s stay in DEFAULT, where they are", name)
        except _NOT_NOW as error:
            # Another process makes it, or the next look will.
            _log.info("partition %s was not made: %s", name, error)
        else:
            made.append(name)
    return made


def _wanted(now: datetime) -> Iterator[tuple[str, str]]:
    """Names and statements of the partitions that there should be."""
    first = (now - _EPOCH) // _WEEK
    for table in (*_BY_ID, *_BY_DAY):
        name = f"{table}_default"
        options = f" WITH ({_INLINE})" if table in _WITH_VALUES else ""
        yield name, f"CREATE TABLE assay.{name} PARTITION OF assay.{table} DEFAULT{options}"
        for number in range(first, first + WEEKS_AHEAD + 1):
            start = _EPOCH + number * _WEEK
            end = start + _WEEK
            low, high = (
                (start.date(), end.date()) if table in _BY_DAY else (floor_at(start), floor_at(end))
            )
            name = f"{table}_{start:%Y%m%d}"
            yield (
                name,
                (
                    f"CREATE TABLE assay.{name} PARTITION OF assay.{table}"
                    f" FOR VALUES FROM ('{low}') TO ('{high}'){options}"
                ),
            )
