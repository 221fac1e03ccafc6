"""The bridge to OpenTelemetry: spans of user code become children of the attempt they ran in.

A processor on the process's tracer provider hands each span that ended inside an attempt to the
`SpanWriter` of the worker that ran it, which stores them in batches of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from typing_extensions import override

from assay.engine.attempts import current_attempt
from assay.model import usage
from assay.store import user_spans

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from opentelemetry.sdk.trace import Event, Span

    from assay.engine.attempts import Attempt
    from assay.store.pool import Link
    from assay.store.turns import Row

_log = logging.getLogger("assay.engine")
MAX_WAITING = 50_000
BATCH = 500
PAUSE_S = 0.05
_SIGNED = 1 << 63
_WRAP = 1 << 64
_NS = 1_000_000_000

_SAMPLED = otel.TraceFlags(otel.TraceFlags.SAMPLED)


class _AttemptSpan(otel.NonRecordingSpan):
    """The span of an attempt; few steps have spans of their own and ask what it is."""

    def __init__(self, attempt: Attempt, trace: UUID) -> None:
        self._attempt = attempt
        self._trace = trace

    @override
    def get_span_context(self) -> otel.SpanContext:
        return otel.SpanContext(
            trace_id=self._trace.int,
            span_id=self._attempt.span,
            is_remote=False,
            trace_flags=_SAMPLED,
        )


def enter(attempt: Attempt, trace: UUID) -> None:
    """Make an attempt the current one in the context that this is called in, and its span."""
    current_attempt.set(attempt)
    otel_context.attach(otel.set_span_in_context(_AttemptSpan(attempt, trace)))


class AttemptSpans(SpanProcessor):
    """Follows the spans that start inside attempts, and hands them over when they end."""

    def __init__(self) -> None:
        self._open: dict[int, Attempt] = {}

    @override
    def on_start(self, span: Span, parent_context: otel_context.Context | None = None) -> None:
        attempt = current_attempt.get()
        if attempt is not None:
            self._open[span.get_span_context().span_id] = attempt

    @override
    def on_end(self, span: ReadableSpan) -> None:
        spoken = span.get_span_context()
        attempt = self._open.pop(spoken.span_id, None) if spoken else None
        if attempt is not None:
            attempt.put_span(_row(span, attempt))


_install_lock = threading.Lock()
_installed: list[TracerProvider] = []


def install() -> None:
    """Have the process's tracer provider followed, once; one is set where there is none."""
    with _install_lock:
        provider = otel.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            provider = TracerProvider()
            otel.set_tracer_provider(provider)
        if provider not in _installed:
            _installed.append(provider)
            provider.add_span_processor(AttemptSpans())


class SpanWriter:
    """Stores the spans of one worker's runs; never in the way of a commit.

    Attributes:
        dropped: spans given up because the database did not keep up.
    """

    def __init__(self, link: Link, *, project: int) -> None:
        self._link = link
        self._project = project
        self._waiting: deque[Row] = deque()
        self._writing = False
        self._ready = asyncio.Event()
        self._quiet = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.dropped = 0

    def put(self, row: Row) -> None:
        """Take a span, from any thread."""
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.append(row)
        if len(self._waiting) == 1:
            self._loop.call_soon_threadsafe(self._ready.set)

    async def drained(self) -> None:
        """Wait until all spans so far are stored."""
        while self._waiting or self._writing:
            self._quiet.clear()
            await self._quiet.wait()

    async def run(self) -> None:
        """Store for ever."""
        reported = 0
        while True:
            await self._ready.wait()
            # A pause, so that the spans of many steps go together.
            await asyncio.sleep(PAUSE_S)
            self._ready.clear()
            while self._waiting:
                await self._write()
            self._quiet.set()
            if self.dropped > reported:
                reported = self.dropped
                _log.warning("%d spans were dropped: the database does not keep up", reported)

    async def _write(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        self._writing = True
        try:
            await user_spans.add(await self._link.get(), batch, project=self._project)
        except psycopg.OperationalError as error:
            _log.warning("storing spans is tried again: %s", error)
            self._waiting.extendleft(reversed(batch))
            await asyncio.sleep(PAUSE_S * 4)
        except psycopg.Error as error:
            await self._one_by_one(batch, error)
        finally:
            self._writing = False

    async def _one_by_one(self, batch: list[Row], error: psycopg.Error) -> None:
        if len(batch) == 1:
            self.dropped += 1
            _log.error("the database refuses span %r: %s", batch[0]["name"], error)
            return
        for row in batch:
            try:
                await user_spans.add(await self._link.get(), [row], project=self._project)
            except psycopg.Error as refused:
                await self._one_by_one([row], refused)


def _row(span: ReadableSpan, attempt: Attempt) -> Row:
    spoken = span.get_span_context()
    assert spoken is not None
    started, ended = (span.start_time or 0) / _NS, (span.end_time or 0) / _NS
    return {
        "day": datetime.fromtimestamp(started, UTC).date().isoformat(),
        "trace": f"{spoken.trace_id:032x}",
        "span": _signed(spoken.span_id),
        "parent": _signed(span.parent.span_id) if span.parent else None,
        "run": attempt.step.run_id,
        "step": attempt.key,
        "attempt": attempt.number,
        "name": _storable(span.name),
        "kind": span.kind.name.lower(),
        "started": started,
        "ended": ended,
        "status": span.status.status_code.name.lower(),
        "message": _storable(span.status.description) if span.status.description else None,
        "attributes": _attributes(span.attributes),
        "tokens": usage.tokens(span.attributes or {}),
        "events": json.dumps([_event(event) for event in span.events]),
    }


def _event(event: Event) -> dict[str, object]:
    return {
        "name": event.name,
        "ts": datetime.fromtimestamp(event.timestamp / _NS, UTC).isoformat(),
        "attributes": json.loads(_attributes(event.attributes)),
    }


def _attributes(attributes: Mapping[str, object] | None) -> str:
    return json.dumps(dict(attributes or {}), default=str)


def _signed(span_id: int) -> int:
    return span_id - _WRAP if span_id >= _SIGNED else span_id


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
