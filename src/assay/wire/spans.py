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


class SkeletonRun(Message):
    """A run of a trace.

    Attributes:
        status: as in `Run`.
    """

    id: str
    function_id: str
    kind: Literal["function", "scorer"]
    status: str


class SkeletonSpans(Message):
    """Columns: the n-th item of each is about the n-th span.

    Attributes:
        id: 16 hexadecimal digits.
        parent: the place of the parent, which comes before; -1 for a root.
        name: a place in `names`. `kind`: in `kinds`. `status`: in `statuses`. `run`: in `runs`.
        start: microseconds after the origin.
        duration: microseconds; null while it lasts.
    """

    id: list[str]
    parent: list[int]
    name: list[int]
    kind: list[int]
    status: list[int]
    run: list[int]
    start: list[int]
    duration: list[int | None]


class SkeletonScores(Message):
    """Columns: the n-th item of each is about the n-th score.

    Attributes:
        span: the place of the span that it is about.
        at: microseconds after the origin.
    """

    span: list[int]
    name: list[str]
    value: list[bool | int | float]
    at: list[int]


class Skeleton(Message):
    """A trace as it is drawn: few bytes a span, all else by `GET /runs/{run}/spans/{id}`.

    Spans come in the order in which a tree is read: behind their parents, siblings by their start.
    The only attempt of a step is left out, what ran in it stands below the step.

    Attributes:
        origin: the start of the first span.
        read_at: up to when what lasts has lasted.
        is_complete: false where the trace has more than 10,000 runs or 100,000 spans of a kind:
            those of the earliest runs are here.
    """

    trace_id: str
    origin: datetime
    read_at: datetime
    is_complete: bool
    kinds: list[str]
    statuses: list[str]
    names: list[str]
    runs: list[SkeletonRun]
    spans: SkeletonSpans
    scores: SkeletonScores
