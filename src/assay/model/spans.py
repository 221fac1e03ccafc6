"""A span in the shape of OpenTelemetry: what a trace of runs is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from assay.model.events import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened at an instant of a span."""

    name: str
    at: datetime
    attributes: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of work.

    Attributes:
        trace: written as 32 hex digits. `span`, `parent`: written as 16.
        kind: internal, producer, consumer, client or server.
        ended_at: None while it lasts.
        status: unset, ok or error; `message` says what was wrong.
    """

    trace: UUID
    span: int
    parent: int | None
    name: str
    kind: str
    started_at: datetime
    ended_at: datetime | None
    status: str
    message: str | None = None
    attributes: Mapping[str, Json] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
