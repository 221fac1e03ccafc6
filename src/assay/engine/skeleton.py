"""The skeleton of a trace: what it takes to draw tens of thousands of spans, in columns.

It holds the spans of `spans.trace_of`, with one difference: the only attempt of a step has no place
of its own, and what ran in it stands right below the step. Spans come in the order in which a tree
is read: each behind its parent, the children of one by their start.
Entry point: `skeleton_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from assay.ids import span_of
from assay.model.journal import Kind
from assay.store import skeletons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from assay.store.pages import Reading
    from assay.store.skeletons import (
        AttemptColumns,
        MemoColumns,
        RunColumns,
        ScoreColumns,
        UserSpanColumns,
        WaitColumns,
    )

MOST_RUNS = 10_000
MOST_SPANS = 100_000
MOST_SCORES = 10_000
_DAY = timedelta(days=1)

KINDS = (
    *("run", "scorer", *Kind, "attempt", "span"),
    *("model", "embeddings", "tool", "agent", "retrieval", "workflow"),
)
"""What a span can be: of the engine, any other of user code, or one that OpenTelemetry names so."""
STATUSES = ("unset", "ok", "error")
_KIND = {kind: number for number, kind in enumerate(KINDS)}
_STATUS = {status: number for number, status in enumerate(STATUSES)}
_UNSET, _OK, _ERROR = range(3)
_ATTEMPT = _KIND["attempt"]
_NONE = -1
# The first word of a name: https://github.com/open-telemetry/semantic-conventions-genai
_OPERATIONS = {
    "chat": "model",
    "generate_content": "model",
    "text_completion": "model",
    "embeddings": "embeddings",
    "execute_tool": "tool",
    "create_agent": "agent",
    "invoke_agent": "agent",
    "plan": "agent",
    "retrieval": "retrieval",
    "invoke_workflow": "workflow",
}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A trace in columns: at each place of each list one span.

    Attributes:
        trace: its id.
        runs: ids, functions, kinds and statuses of its runs.
        origin: the start of the first span, in microseconds since 1970.
        id: span ids.
        parent: the place of the parent, always before; -1 for a root.
        name: what each is called.
        kind: places in `KINDS`. `status`: in `STATUSES`.
        start: microseconds after the origin. `duration`: in microseconds, None while it lasts.
        run: places in `runs`.
        is_complete: false where the trace has more runs or spans than are read.
        scores: the latest scores; `span` is the place of what each is about.
    """

    trace: UUID
    runs: RunColumns
    origin: int
    id: list[int]
    parent: list[int]
    name: list[str]
    kind: list[int]
    start: list[int]
    duration: list[int | None]
    status: list[int]
    run: list[int]
    is_complete: bool
    scores: list[Mark]


@dataclass(frozen=True, slots=True)
class Mark:
    """A score in its place.

    Attributes:
        span: the place of the span that it is about.
        at: microseconds after the origin.
    """

    span: int
    name: str
    value: float
    is_bool: bool
    at: int


async def skeleton_of(
    cursor: Reading, *, project: int, run: UUID, most: int = MOST_SPANS
) -> Skeleton | None:
    """The skeleton of the trace that a run is part of; None where there is no such run.

    *most* steps, attempts, waits and spans of user code each are read.
    """
    trace = await skeletons.trace_of(cursor, project=project, run=run)
    if trace is None:
        return None
    runs = await skeletons.runs(cursor, project=project, trace=trace, also=run, limit=MOST_RUNS + 1)
    limit = most + 1
    memos = await skeletons.memos(cursor, project=project, runs=runs.id, limit=limit)
    tries = await skeletons.attempts(cursor, project=project, runs=runs.id, limit=limit)
    waits = await skeletons.waits(cursor, project=project, runs=runs.id, limit=limit)
    since = (min(runs.queued_at) - _DAY).date()
    user = await skeletons.user_spans(
        cursor, project=project, runs=runs.id, since=since, limit=limit
    )
    scores = await skeletons.scores(cursor, project=project, runs=runs.id, limit=MOST_SCORES)
    read = (runs.id, memos.span, tries.span, waits.span, user.span)
    is_complete = len(runs.id) <= MOST_RUNS and all(len(one) <= most for one in read)
    building = _Building(runs)
    building.add_memos(memos)
    building.add_waits(waits)
    building.add_attempts(tries)
    return building.skeleton(trace, user, scores, is_complete=is_complete)


class _Row(NamedTuple):
    """A span as it is read, its parent known by id."""

    id: int
    parent: int | None
    name: str
    kind: int
    start: int
    end: int | None
    status: int
    run: int


@dataclass(frozen=True, slots=True)
class _Columns:
    """The same in columns."""

    id: list[int]
    parent: list[int | None]
    name: list[str]
    kind: list[int]
    start: list[int]
    end: list[int | None]
    status: list[int]
    run: list[int]


class _Building:
    """The engine's spans in the order in which they are read: the runs first."""

    def __init__(self, runs: RunColumns) -> None:
        self._runs = runs
        self._rows: list[_Row] = []
        self._step_at: dict[tuple[int, str, int], int] = {}
        self._last_tries: dict[int, _Row] = {}
        self._folded: dict[int | None, int] = {}
        for run, id_ in enumerate(runs.id):
            parent, above = runs.parent_span[run], runs.parent_run[run]
            if parent is None and above is not None:
                parent = span_of("run", above)
            kind = _KIND["scorer" if runs.kind[run] == "scorer" else "run"]
            status = _status(runs.is_failed[run], is_ok=runs.status[run] == "completed")
            times = (runs.started[run], runs.ended[run])
            row = _Row(span_of("run", id_), parent, runs.fn[run], kind, *times, status, run)
            self._rows.append(row)

    def add_memos(self, memos: MemoColumns) -> None:
        """Recorded steps; an attempt that gave a memo is shown where it was not the only one."""
        for at, span in enumerate(memos.span):
            run, name, tried = memos.run[at], memos.name[at], memos.attempts[at]
            status = _status(memos.is_failed[at], is_ok=not memos.is_cancelled[at])
            times = (memos.started[at], memos.ended[at])
            kind = _KIND[memos.kind[at]]
            step = _Row(span, self._rows[run].id, name, kind, *times, status, run)
            self._add_step(step, memos.idx[at])
            if kind != _KIND[Kind.STEP]:
                continue
            last, title = span_of(span, tried), f"attempt {tried}"
            if tried == 1:
                self._folded[last] = span
            else:
                self._last_tries[last] = _Row(last, span, title, _ATTEMPT, *times, status, run)

    def add_waits(self, waits: WaitColumns) -> None:
        """Open waits."""
        for at, span in enumerate(waits.span):
            run = waits.run[at]
            status = _status(waits.is_failed[at], is_ok=waits.ended[at] is not None)
            times, kind = (waits.started[at], waits.ended[at]), _KIND[waits.kind[at]]
            step = _Row(span, self._rows[run].id, waits.name[at], kind, *times, status, run)
            self._add_step(step, waits.idx[at])

    def add_attempts(self, tries: AttemptColumns) -> None:
        """Attempts without a memo, below their step, which starts with the first of them."""
        for at, span in enumerate(tries.span):
            run, name, number = tries.run[at], tries.name[at], tries.attempt[at]
            status = _status(tries.is_failed[at], is_ok=False)
            start, end = tries.started[at], tries.ended[at] or self._runs.ended[run]
            if name:
                self._begin_step(span, name, tries.idx[at], start, run)
                id_, parent, title = span_of(span, number), span, f"attempt {number}"
            else:
                # A body has no id: its attempts stand right under the run.
                id_, parent, title = span, self._rows[run].id, f"body attempt {number}"
            if id_ not in self._last_tries and id_ not in self._folded:
                self._rows.append(_Row(id_, parent, title, _ATTEMPT, start, end, status, run))
        self._rows += self._last_tries.values()

    def _begin_step(self, span: int, name: str, index: int, start: int, run: int) -> None:
        """Make a step begin with its attempt, and be there where it has none but failed ones."""
        place = self._step_at.get((run, name, index))
        if place is None:
            kind, above = _KIND[Kind.STEP], self._rows[run].id
            end = self._runs.ended[run]
            self._add_step(_Row(span, above, name, kind, start, end, _UNSET, run), index)
        elif start < self._rows[place].start:
            self._rows[place] = self._rows[place]._replace(start=start)

    def skeleton(
        self, trace: UUID, user: UserSpanColumns, scores: ScoreColumns, *, is_complete: bool
    ) -> Skeleton:
        """All spans, those of user code too, as a tree is read."""
        columns = self._columns(user)
        above, order = _tree(columns, len(self._runs.id))
        place_of = {old: new for new, old in enumerate(order)}
        place_of[_NONE] = _NONE
        origin = min(columns.start)
        ends = zip(columns.start, columns.end, strict=True)
        durations = [None if end is None else end - start for start, end in ends]
        return Skeleton(
            trace=trace,
            runs=self._runs,
            origin=origin,
            id=[columns.id[old] for old in order],
            parent=[place_of[above[old]] for old in order],
            name=[columns.name[old] for old in order],
            kind=[columns.kind[old] for old in order],
            start=[columns.start[old] - origin for old in order],
            duration=[durations[old] for old in order],
            status=[columns.status[old] for old in order],
            run=[columns.run[old] for old in order],
            is_complete=is_complete,
            scores=[*self._marks(scores, place_of, origin)],
        )

    def _columns(self, user: UserSpanColumns) -> _Columns:
        """All spans in the order in which they were read. Tuples for each would cost too much."""
        kinds = {
            name: _KIND[_OPERATIONS.get(name.partition(" ")[0], "span")] for name in set(user.name)
        }
        ids, parents, names, own_kinds, starts, ends, statuses, runs = zip(*self._rows, strict=True)
        return _Columns(
            id=[*ids, *user.span],
            parent=[*parents, *(self._folded.get(parent, parent) for parent in user.parent)],
            name=[*names, *user.name],
            kind=[*own_kinds, *(kinds[name] for name in user.name)],
            start=[*starts, *user.started],
            end=[*ends, *user.ended],
            status=[*statuses, *(_STATUS.get(status, _UNSET) for status in user.status)],
            run=[*runs, *user.run],
        )

    def _add_step(self, row: _Row, index: int) -> None:
        self._step_at[row.run, row.name, index] = len(self._rows)
        self._rows.append(row)

    def _marks(self, scores: ScoreColumns, place_of: dict[int, int], origin: int) -> Iterator[Mark]:
        for at, name in enumerate(scores.name):
            place: int | None = scores.run[at]
            if place is not None and scores.subject[at] == "step":
                # A step that the run never came to has no place.
                place = self._step_at.get((place, scores.step[at], scores.idx[at]))
            if place is not None:
                yield Mark(
                    span=place_of[place],
                    name=name,
                    value=scores.value[at],
                    is_bool=scores.is_bool[at],
                    at=scores.at[at] - origin,
                )


def _tree(columns: _Columns, run_count: int) -> tuple[list[int], list[int]]:
    """The places of the parents, and all places in the order of a tree.

    What has no parent here stands below its run. Spans that are each other's parents are cut loose
    at the first of them.
    """
    at: dict[int | None, int] = {id_: place for place, id_ in enumerate(columns.id)}
    above = [at.get(parent, _NONE) for parent in columns.parent]
    for place in range(run_count, len(above)):
        if above[place] == _NONE:
            above[place] = columns.run[place]
    by_start = sorted(range(len(above)), key=columns.start.__getitem__)
    order = _walked(above, by_start)
    if len(order) < len(above):
        for place in _knots(above, by_start, order):
            above[place] = _NONE
        order = _walked(above, by_start)
    return above, order


def _walked(above: list[int], by_start: list[int]) -> list[int]:
    """What can be reached from roots, each behind its parent."""
    first, beside = [_NONE] * (len(above) + 1), [_NONE] * (len(above) + 1)
    for place in reversed(by_start):
        parent = above[place]
        beside[place] = first[parent]
        first[parent] = place
    order: list[int] = []
    place = first[_NONE]
    while place != _NONE:
        order.append(place)
        if first[place] != _NONE:
            place = first[place]
            continue
        while place != _NONE and beside[place] == _NONE:
            place = above[place]
        place = beside[place]
    return order


def _knots(above: list[int], by_start: list[int], reached: list[int]) -> Iterator[int]:
    """The first of each circle of parents."""
    walk_of = dict.fromkeys((*reached, _NONE), _NONE)
    rank = {place: number for number, place in enumerate(by_start)}
    for walk in by_start:
        place = walk
        while place not in walk_of:
            walk_of[place] = walk
            place = above[place]
        if walk_of[place] == walk:
            circle = [place]
            while above[circle[-1]] != place:
                circle.append(above[circle[-1]])
            yield min(circle, key=rank.__getitem__)


def _status(is_failed: bool, *, is_ok: bool) -> int:  # noqa: FBT001 - a column
    if is_failed:
        return _ERROR
    return _OK if is_ok else _UNSET
