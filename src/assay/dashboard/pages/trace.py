"""A whole trace as a table, for those without scripts; its `.json` is what the waterfall draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.dashboard.asking import part
from assay.dashboard.page import Page
from assay.wire.spans import Skeleton

if TYPE_CHECKING:
    from datetime import datetime

    from assay.dashboard.asking import Ask

MOST_ROWS = 200
MOST_READ = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """A span in its place.

    Attributes:
        depth: how many spans it is below.
        after_s: seconds from the start of the trace to its own.
        run_id: the run that it belongs to.
        left, width: where it lies in the time of the trace and how long it is, from 0 to 1.
        scores: (name, value) of the latest ones about it.
    """

    id: str
    name: str
    kind: str
    status: str
    run_id: str
    depth: int
    after_s: float
    started_at: datetime
    ended_at: datetime | None
    left: float
    width: float
    scores: list[tuple[str, bool | int | float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """The first spans of a trace; `n` says how many there are."""

    run_id: str
    rows: list[SpanRow]
    n: int


async def trace(ask: Ask) -> TraceView:
    """The first rows of a trace, as a tree is read."""
    found = await ask.api.get(Skeleton, ask.api_path())
    return TraceView(run_id=ask.params["run_id"], rows=_rows(found), n=len(found.spans.id))


async def of_run(ask: Ask, run_id: str) -> TraceView:
    """The first rows of a run's trace; none of one that takes long to read."""
    path = f"runs/{part(run_id)}/trace/skeleton"
    found = await ask.api.get(Skeleton, path, [("limit", MOST_READ)])
    rows = _rows(found) if found.is_complete else []
    return TraceView(run_id=run_id, rows=rows, n=len(found.spans.id))


def _rows(found: Skeleton) -> list[SpanRow]:
    spans, marks = found.spans, found.scores
    now = (found.read_at - found.origin) // timedelta(microseconds=1)
    ends = [
        max(now, start) if duration is None else start + duration
        for start, duration in zip(spans.start, spans.duration, strict=True)
    ]
    whole = max(1, *ends)
    scores: dict[int, list[tuple[str, bool | int | float]]] = {}
    for at, name, value in zip(marks.span, marks.name, marks.value, strict=True):
        scores.setdefault(at, []).append((name, value))
    rows: list[SpanRow] = []
    for at, id_ in enumerate(spans.id[:MOST_ROWS]):
        start, duration = spans.start[at], spans.duration[at]
        begun = found.origin + timedelta(microseconds=start)
        rows.append(
            SpanRow(
                id=id_,
                name=found.names[spans.name[at]],
                kind=found.kinds[spans.kind[at]],
                status=found.statuses[spans.status[at]],
                run_id=found.runs[spans.run[at]].id,
                depth=0 if spans.parent[at] < 0 else rows[spans.parent[at]].depth + 1,
                after_s=start / 1e6,
                started_at=begun,
                ended_at=None if duration is None else begun + timedelta(microseconds=duration),
                left=start / whole,
                width=(ends[at] - start) / whole,
                scores=scores.get(at, []),
            )
        )
    return rows


TRACE_PAGES = (
    Page(
        path="/runs/{run_id}/trace",
        name="runs",
        title="Trace",
        template="trace.html",
        render=trace,
        api="runs/{run_id}/trace/skeleton",
    ),
)
