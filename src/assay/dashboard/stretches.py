"""A run as rows in time: its steps and what each took, and where the time went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assay.wire.runs import RunDetail, Step
    from assay.wire.scores import Score

MOST_ROWS = 200
_WAITING = frozenset({"wait", "sleep"})
_CHIPS = 4

_Stretch: TypeAlias = "tuple[datetime, datetime]"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step in the run's table.

    Attributes:
        left, width: where it lies in the run's time and how long it is, from 0 to 1.
        scores: those about it.
    """

    step: Step
    left: float
    width: float
    took_s: float | None
    scores: list[Score]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A part of a run's time; parts of steps side by side overlap.

    Attributes:
        share: of the run's whole time since it was queued.
    """

    word: str
    seconds: float
    share: float


def rows(run: RunDetail, *, now: datetime) -> list[StepRow]:
    """The first steps of a run, in the order of their start."""
    start, whole = run.started_at or run.queued_at, _whole(run, now)
    ordered = sorted(run.steps, key=lambda step: (step.started_at or start, step.seq or 0))
    return [
        StepRow(
            step=step,
            left=_share((step.started_at or start, start), whole),
            width=_share((step.ended_at or now, step.started_at or start), whole),
            took_s=_seconds(step.started_at, step.ended_at),
            scores=[
                one
                for one in run.scores
                if (one.subject, one.step_id, one.index) == ("step", step.id, step.index)
            ],
        )
        for step in ordered[:MOST_ROWS]
    ]


def spent(run: RunDetail, *, now: datetime) -> list[Spent]:
    """Where a run's time went.

    A step's time before its next attempt is not in the step.
    """
    ended = run.ended_at or now
    whole = max(1e-9, (ended - run.queued_at).total_seconds())
    started = run.started_at or ended
    steps = [s for s in run.steps if s.kind not in _WAITING | {"invoke"}]
    invoked = _lasted((s for s in run.steps if s.kind == "invoke"), ended)
    waiting = _lasted((s for s in run.steps if s.kind in _WAITING), ended)
    idle = [stretch for step in steps for stretch in _between_attempts(step, ended)]
    busy = _seconds_covered(_lasted(steps, ended)) - _seconds_covered(idle)
    any_ = _seconds_covered(_lasted(run.steps, ended))
    parts = (
        ("queued", (started - run.queued_at).total_seconds()),
        ("in steps", busy),
        ("between attempts", _seconds_covered(idle)),
        ("in child runs", _seconds_covered(invoked)),
        ("waiting", _seconds_covered(waiting)),
        ("between steps", max(0.0, (ended - started).total_seconds() - any_)),
    )
    return [
        Spent(word=word, seconds=seconds, share=min(1.0, seconds / whole))
        for word, seconds in parts
        if seconds > 0
    ]


def longest(run: RunDetail) -> list[Step]:
    """The steps that took longest, the longest first."""
    ended = [step for step in run.steps if _seconds(step.started_at, step.ended_at)]
    return sorted(ended, key=lambda step: -(_seconds(step.started_at, step.ended_at) or 0.0))[
        :_CHIPS
    ]


def to_be_tried_again(run: RunDetail) -> list[Step]:
    """The steps whose last attempt failed and that have another one to come."""
    return [s for s in run.steps if s.ended_at is None and s.attempts and s.attempts[-1].retry_at]


def wrong(run: RunDetail) -> list[Step]:
    """The steps that failed for good, the last of them first."""
    return [step for step in reversed(run.steps) if step.status == "failed"]


def retried(steps: Sequence[Step]) -> int:
    """How many attempts failed of steps that were tried again."""
    return sum(max(0, len(step.attempts) - 1) for step in steps)


def _lasted(steps: Iterable[Step], until: datetime) -> list[_Stretch]:
    return [(s.started_at, s.ended_at or until) for s in steps if s.started_at]


def _between_attempts(step: Step, until: datetime) -> Iterable[_Stretch]:
    """From the end of each failed attempt to the next one, to the end of the run, or to now."""
    for attempt, following in zip_longest(step.attempts, step.attempts[1:]):
        if attempt.ended_at and (following or attempt.retry_at):
            yield attempt.ended_at, following.started_at if following else until


def _seconds_covered(stretches: Iterable[_Stretch]) -> float:
    """How many seconds lie in at least one of these stretches."""
    total, reached = 0.0, None
    for start, end in sorted(stretches):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += (end - begin).total_seconds()
            reached = end
    return total


def _whole(run: RunDetail, now: datetime) -> float:
    start = run.started_at or run.queued_at
    last = max([run.ended_at or now, *(s.ended_at for s in run.steps if s.ended_at)])
    return max(1e-9, (last - start).total_seconds())


def _share(between: tuple[datetime, datetime], whole: float) -> float:
    later, earlier = between
    return min(1.0, max(0.0, (later - earlier).total_seconds() / whole))


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
