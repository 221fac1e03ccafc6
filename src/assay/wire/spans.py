"""Traces in OpenTelemetry's shape."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from assay.wire.base import Message

Attributes: TypeAlias = dict[str, object]


class SpanEvent(Message):
    """Something that happened at an instant within a span."""

    name: str
    at: datetime
    attributes: Attributes = Field(default_factory=dict)


class SpanLink(Message):
    """Another span that this one points to."""

    trace_id: str
    span_id: str
    attributes: Attributes = Field(default_factory=dict)


class Span(Message):
    """One stretch of work.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_span_id: null for the root.
        ended_at: null while it goes on.
        run_id: the run that it belongs to, where it belongs to one; with step_id, index and
            attempt where it belongs to a step.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    name: str
    kind: Literal["internal", "server", "client", "producer", "consumer"] = "internal"
    status: Literal["unset", "ok", "error"] = "unset"
    status_message: str | None = None
    started_at: datetime
    ended_at: datetime | None = None
    attributes: Attributes = Field(default_factory=dict)
    events: list[SpanEvent] = Field(default_factory=list)
    links: list[SpanLink] = Field(default_factory=list)
    run_id: str | None = None
    step_id: str | None = None
    index: int | None = None
    attempt: int | None = None


class Trace(Message):
    """All spans of a trace: of a run, its children and its scorers, in the order of their start."""

    trace_id: str
    spans: list[Span]
