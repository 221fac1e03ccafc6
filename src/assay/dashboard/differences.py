"""Two runs side by side: steps of one name in one row, outputs as what was taken out and put in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from assay.dashboard.texts import pretty
from assay.ids import parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.exposures import ExposureRecord
    from assay.wire.runs import RunDetail, Step

MOST_STEPS = 200
MOST_TOKENS = 2_000
MOST_CHARACTERS = 20_000
_FEW_LINES = 3
_ALIKE = 0.3
_WORD = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A step of one of the runs.

    Attributes:
        left, width: where it lies after its run's start and how long it is, from 0 to 1 of the
            longer run's time.
    """

    step: Step
    left: float
    width: float
    took_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPair:
    """A use of a step id in both runs, or in one of them."""

    name: str
    index: int
    a: Stretch | None
    b: Stretch | None

    @property
    def longer_s(self) -> float | None:
        """How much longer it took in the second, in seconds, where both have ended."""
        if self.a is None or self.b is None or self.a.took_s is None or self.b.took_s is None:
            return None
        return self.b.took_s - self.a.took_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of text: `same`, `out` of the first, or `in` the second."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPair:
    """The variants of an experiment that each of the runs was served, in the order of its uses."""

    experiment: str
    a: list[ExposureRecord]
    b: list[ExposureRecord]

    @property
    def is_same(self) -> bool:
        """Whether both were served the same."""
        return [one.variant for one in self.a] == [one.variant for one in self.b]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePair:
    """The latest value of a score of each of the runs, None where it has none."""

    name: str
    step: str | None
    a: bool | int | float | None
    b: bool | int | float | None

    @property
    def difference(self) -> float | None:
        """Second less first, where both are numbers."""
        if self.a is None or self.b is None or isinstance(self.a, bool) or isinstance(self.b, bool):
            return None
        return self.b - self.a


def step_pairs(a: RunDetail, b: RunDetail, *, now: datetime) -> list[StepPair]:
    """Steps by id and index: in the order of the first run, others where they came."""
    whole = longest_s(a, b, now=now)
    ours, theirs = _stretches(a, whole, now), _stretches(b, whole, now)
    order = list(ours)
    before = -1
    for key in theirs:
        if key in ours:
            before = order.index(key)
        else:
            before += 1
            order.insert(before, key)
    return [
        StepPair(name=name, index=index, a=ours.get((name, index)), b=theirs.get((name, index)))
        for name, index in order
    ]


def longest_s(a: RunDetail, b: RunDetail, *, now: datetime) -> float:
    """The seconds that both are drawn on: those of the one that took longer."""
    return max(_whole(a, now), _whole(b, now))


def arm_pairs(served: Sequence[ExposureRecord], a: RunDetail, b: RunDetail) -> list[ArmPair]:
    """What both were served, by experiment."""
    ours, theirs = ([one for one in served if one.run_id == parse(run.id)] for run in (a, b))
    return [
        ArmPair(
            experiment=name,
            a=[one for one in ours if one.experiment == name],
            b=[one for one in theirs if one.experiment == name],
        )
        for name in sorted({one.experiment for one in served})
    ]


def score_pairs(a: RunDetail, b: RunDetail) -> list[ScorePair]:
    """The latest scores of both, by name and step."""
    ours, theirs = ({(s.name, s.step_id, s.index): s.value for s in run.scores} for run in (a, b))
    return [
        ScorePair(name=name, step=step, a=ours.get(key), b=theirs.get(key))
        for key in sorted(ours.keys() | theirs.keys(), key=_sortable)
        for name, step, _ in [key]
    ]


def pieces(a: object, b: object) -> list[Piece] | None:
    """What of a value is the same in another, by words or lines; None where they are too long.

    In lines that have changed the words that have are told apart, too.
    """
    first, second = pretty(a), pretty(b)
    if max(len(first), len(second)) > MOST_CHARACTERS:
        return None
    ours, theirs = _tokens(first, second)
    if max(len(ours), len(theirs)) > MOST_TOKENS:
        return None
    found: list[Piece] = []
    for kind, i, j, k, n in SequenceMatcher(None, ours, theirs).get_opcodes():
        before, after = "".join(ours[i:j]), "".join(theirs[k:n])
        if kind == "equal":
            found.append(Piece(kind="same", text=before))
        elif kind == "replace":
            found += _by_word(before, after)
        else:
            found += _changed(before, after)
    return found


def _by_word(before: str, after: str) -> list[Piece]:
    """The words that differ; all of both where hardly any is the same."""
    ours, theirs = _WORD.findall(before), _WORD.findall(after)
    matched = SequenceMatcher(None, ours, theirs)
    if max(len(ours), len(theirs)) > MOST_TOKENS or matched.ratio() < _ALIKE:
        return _changed(before, after)
    found: list[Piece] = []
    for kind, i, j, k, n in matched.get_opcodes():
        if kind == "equal":
            found.append(Piece(kind="same", text="".join(ours[i:j])))
        else:
            found += _changed("".join(ours[i:j]), "".join(theirs[k:n]))
    return found


def _changed(before: str, after: str) -> list[Piece]:
    """The one and the other; the space that both end in is the same."""
    space, other = (text[len(text.rstrip()) :] for text in (before, after))
    kept = space if space == other else ""
    ours, theirs = before.removesuffix(kept), after.removesuffix(kept)
    pairs = (("out", ours), ("in", theirs), ("same", kept))
    return [Piece(kind=kind, text=text) for kind, text in pairs if text]


def _tokens(a: str, b: str) -> tuple[Sequence[str], Sequence[str]]:
    """Words where there are few lines, which are long then; lines otherwise."""
    if max(a.count("\n"), b.count("\n")) < _FEW_LINES:
        return _WORD.findall(a), _WORD.findall(b)
    return a.splitlines(keepends=True), b.splitlines(keepends=True)


def _stretches(run: RunDetail, whole: float, now: datetime) -> dict[tuple[str, int], Stretch]:
    start = _start(run)
    ordered = sorted(run.steps, key=lambda step: (step.started_at or start, step.seq or 0))
    found: dict[tuple[str, int], Stretch] = {}
    for step in ordered[:MOST_STEPS]:
        begun = step.started_at or start
        lasted = ((step.ended_at or now) - begun).total_seconds()
        found[step.id, step.index] = Stretch(
            step=step,
            left=min(1.0, (begun - start).total_seconds() / whole),
            width=min(1.0, max(0.0, lasted / whole)),
            took_s=None if step.ended_at is None else lasted,
        )
    return found


def _start(run: RunDetail) -> datetime:
    starts = (step.started_at for step in run.steps)
    return min([run.started_at or run.queued_at, *(start for start in starts if start is not None)])


def _whole(run: RunDetail, now: datetime) -> float:
    ends = (step.ended_at for step in run.steps)
    end = max([run.ended_at or now, *(end for end in ends if end is not None)])
    return max(1e-6, (end - _start(run)).total_seconds())


def _sortable(key: tuple[str, str | None, int | None]) -> tuple[str, str, int]:
    name, step, index = key
    return name, step or "", index or 0
