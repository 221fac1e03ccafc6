"""What two runs differ in: texts as what was taken out and put in, scores, variants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from assay.dashboard.texts import pretty
from assay.ids import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.store.exposures import ExposureRecord
    from assay.wire.runs import RunDetail

MOST_TOKENS = 2_000
MOST_CHARACTERS = 20_000
_FEW_LINES = 3
_ALIKE = 0.3
_WORD = re.compile(r"\s*\S+\s*")


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


def _sortable(key: tuple[str, str | None, int | None]) -> tuple[str, str, int]:
    name, step, index = key
    return name, step or "", index or 0
