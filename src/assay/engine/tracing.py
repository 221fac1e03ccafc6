"""The bridge to OpenTelemetry: spans of user code become children of the attempt they ran in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import Context
    from uuid import UUID


def enter(context: Context, *, trace: UUID, span: int) -> None:
    """Make an attempt's span the current one in a context, where user code has OpenTelemetry."""
    if "opentelemetry.trace" not in sys.modules:
        return
    context.run(_attach, trace.int, span)


def _attach(trace: int, span: int) -> None:
    from opentelemetry import context as otel_context  # noqa: PLC0415 - only where it is in use
    from opentelemetry import trace as otel  # noqa: PLC0415

    parent = otel.SpanContext(
        trace_id=trace, span_id=span, is_remote=False, trace_flags=otel.TraceFlags(1)
    )
    otel_context.attach(otel.set_span_in_context(otel.NonRecordingSpan(parent)))
