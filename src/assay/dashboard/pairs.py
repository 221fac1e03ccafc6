"""Two runs side by side in time: steps of one name in one row, the spans within below each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from assay.dashboard.trace_rows import SpanRow
    from assay.wire.runs import RunDetail, Step

MOST_STEPS = 200
MOST_INNER = 200
_Name: TypeAlias = "tuple[str, int]"
"""What something is called, and which of that name it is at its place."""
K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A step, or a span within one, of one of the runs.

    Attributes:
        left, width: where it lies after its run's start and how long it is, from 0 to 1 of the
            longer run's time.
    """

    kind: str
    status: str
    span_id: str | None
    started_at: datetime | None
    ended_at: datetime | None
    left: float
    width: float

    @property
    def took_s(self) -> float | None:
        """Seconds, where it has ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is of one name in both runs, or in one of them.

    Attributes:
        index: which of that name it is, from 0.
        depth: 0 for a step; how many spans one within it is below that.
    """

    name: str
    index: int
    depth: int
    a: Stretch | None
    b: Stretch | None

    @property
    def longer_s(self) -> float | None:
        """How much longer it took in the second, in seconds, where both have ended."""
        if self.a is None or self.b is None or self.a.took_s is None or self.b.took_s is None:
            return None
        return self.b.took_s - self.a.took_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the runs, with the rows of its trace as a tree is read; none where it is too long."""

    run: RunDetail
    rows: Sequence[SpanRow]


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    whole_s: float
    now: datetime

    def place(self, begun: datetime | None, ended: datetime | None) -> tuple[float, float]:
        """Left and width."""
        first = begun or self.start
        lasted = ((ended or self.now) - first).total_seconds()
        left = (first - self.start).total_seconds() / self.whole_s
        return min(1.0, max(0.0, left)), min(1.0, max(0.0, lasted / self.whole_s))


def longest_s(a: RunDetail, b: RunDetail, *, now: datetime) -> float:
    """The seconds that both are drawn on: those of the one that took longer."""
    return max(_whole_s(a, now), _whole_s(b, now))


def pairs(a: Side, b: Side, *, now: datetime) -> list[Pair]:
    """Steps by id and index, with the spans in them: in the order of the first run.

    What only the second has stands where it came. Tries of a step are left out, not what is in
    them.
    """
    whole = longest_s(a.run, b.run, now=now)
    ours, theirs = (_of(side, _Scale(_start(side.run), whole, now)) for side in (a, b))
    return [
        Pair(
            name=key[-1][0],
            index=key[-1][1],
            depth=len(key) - 1,
            a=ours.get(key),
            b=theirs.get(key),
        )
        for key in _merged(ours, theirs)
    ]


def _merged(ours: Mapping[K, object], theirs: Iterable[K]) -> list[K]:
    order = list(ours)
    before = -1
    for key in theirs:
        if key in ours:
            before = order.index(key)
        else:
            before += 1
            order.insert(before, key)
    return order


def _of(side: Side, scale: _Scale) -> dict[tuple[_Name, ...], Stretch]:
    """Stretches by the names that lead to them, from that of the step on."""
    steps = sorted(side.run.steps, key=lambda step: (step.started_at or scale.start, step.seq or 0))
    places = {row.id: at for at, row in enumerate(side.rows)}
    found: dict[tuple[_Name, ...], Stretch] = {}
    for step in steps[:MOST_STEPS]:
        key = ((step.id, step.index),)
        found[key] = _step(step, scale)
        if step.span_id in places and len(found) < MOST_STEPS + MOST_INNER:
            found |= _inner(side.rows, places[step.span_id], key, scale)
    return found


def _inner(
    rows: Sequence[SpanRow], at: int, key: tuple[_Name, ...], scale: _Scale
) -> dict[tuple[_Name, ...], Stretch]:
    """The spans below a row."""
    found: dict[tuple[_Name, ...], Stretch] = {}
    # By level of the trace the names that lead there: a try of a step has those of the step.
    leading = {rows[at].depth: key}
    seen: Counter[tuple[tuple[_Name, ...], str]] = Counter()
    for row in rows[at + 1 :]:
        if row.depth <= rows[at].depth:
            break
        above = leading[row.depth - 1]
        if row.kind == "attempt":
            leading[row.depth] = above
            continue
        name = row.name, seen[above, row.name]
        seen[above, row.name] += 1
        leading[row.depth] = (*above, name)
        found[*above, name] = _span(row, scale)
    return found


def _step(step: Step, scale: _Scale) -> Stretch:
    left, width = scale.place(step.started_at, step.ended_at)
    return Stretch(
        kind=step.kind,
        status=step.status,
        span_id=step.span_id,
        started_at=step.started_at,
        ended_at=step.ended_at,
        left=left,
        width=width,
    )


def _span(row: SpanRow, scale: _Scale) -> Stretch:
    left, width = scale.place(row.started_at, row.ended_at)
    unsaid = "running" if row.ended_at is None else "ended"
    return Stretch(
        kind=row.kind,
        status=unsaid if row.status == "unset" else row.status,
        span_id=row.id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        left=left,
        width=width,
    )


def _start(run: RunDetail) -> datetime:
    starts = (step.started_at for step in run.steps)
    return min([run.started_at or run.queued_at, *(start for start in starts if start is not None)])


def _whole_s(run: RunDetail, now: datetime) -> float:
    ends = (step.ended_at for step in run.steps)
    end = max([run.ended_at or now, *(end for end in ends if end is not None)])
    return max(1e-6, (end - _start(run)).total_seconds())
