"""The state of a database as an operator asks for it: schema, clock, workers. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from assay.store.pool import Conn

_SQL = queries("health")


class WorkerState(NamedTuple):
    """A worker that is not known to be lost; `late_s` is above 0 once its lease is over."""

    id: UUID
    app: str | None
    host: str
    pid: int
    late_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a database says of itself.

    Attributes:
        server: its version in words.
        schema: the version of Assay's tables, None where there are none.
        now: its clock.
    """

    server: str
    schema: int | None
    now: datetime


def read(connection: Conn) -> Health:
    """Ask a database how it is."""
    row = connection.execute(_SQL["server"]).fetchone()
    assert row is not None
    server, now, has_schema = row
    version = connection.execute(_SQL["schema"]).fetchone() if has_schema else None
    return Health(server=server, now=now, schema=version[0] if version else None)


def workers(connection: Conn) -> list[WorkerState]:
    """The workers of all projects."""
    return [WorkerState._make(row) for row in connection.execute(_SQL["workers"]).fetchall()]
