"""The first spans of a trace as rows, in the order in which a tree is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from assay.wire.spans import Skeleton

MOST_ROWS = 200


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


def rows_of(found: Skeleton) -> list[SpanRow]:
    """The first rows, `MOST_ROWS` at most."""
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
