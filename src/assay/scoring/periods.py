"""The runs of a range of time that have a score: counted exactly, with a sample of many.

Counts, rates and means are those of all runs, from hourly counts. What takes the runs themselves
(their sessions, so their intervals; distributions; variants) is taken from all of them, or from
some that are spread over the range as all runs are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.ids import floor_at
from assay.scoring import totals
from assay.scoring.samples import Grouping, Sample, grouping
from assay.store import score_values
from assay.store.rollups import HOUR
from assay.store.score_values import Slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from assay.stats.intervals import Estimate
    from assay.store.pages import Reading
    from assay.store.rollups import ScoreCount
    from assay.store.score_values import Range, RunValue

EXTREMES = 10
_HOURS = 8
_TYPES = {(True, False): "boolean", (False, True): "number", (True, True): "mixed"}


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Runs that have a score.

    Attributes:
        rows: all of them, or some.
        counts: what was counted of all by the hour, None where `rows` are all.
    """

    rows: Sequence[RunValue]
    group: Grouping
    sample: Sample
    counts: Sequence[ScoreCount] | None

    @property
    def n(self) -> int:
        """How many there are."""
        if self.counts is None:
            return len(self.rows)
        return totals.of(self.counts).n

    @property
    def type(self) -> str | None:
        """`boolean`, `number`, or `mixed`; None without runs."""
        if self.counts is None:
            kinds = {row.is_bool for row in self.rows}
            return _TYPES.get((True in kinds, False in kinds))
        whole = totals.of(self.counts)
        return _TYPES.get((whole.n_bool > 0, whole.n_bool < whole.n))

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the greatest value; of scores, where only their counts tell."""
        if self.counts is None:
            values = [row.value for row in self.rows]
            return min(values, default=None), max(values, default=None)
        return min(one.least for one in self.counts), max(one.greatest for one in self.counts)

    def figures(
        self, chosen: NDArray[np.bool_], counts: Sequence[ScoreCount]
    ) -> tuple[int, Estimate]:
        """How many of them are in a group, and their rate or mean.

        Args:
            chosen: which of the rows are in it.
            counts: what was counted of it.
        """
        if self.counts is None:
            return int(chosen.sum()), self.sample.estimate(chosen)
        whole = totals.of(counts)
        if not whole.n:
            return 0, self.sample.estimate(chosen)
        return whole.n, self.sample.around(whole.total / whole.n, chosen)

    def among(self, chosen: Iterable[bool]) -> NDArray[np.bool_]:
        """Which of the rows these are."""
        return np.fromiter(chosen, dtype=np.bool_, count=len(self.rows))

    def all(self) -> NDArray[np.bool_]:
        """All of the rows."""
        return np.ones(len(self.rows), dtype=np.bool_)


def scored(rows: Sequence[RunValue], counts: Sequence[ScoreCount], *, most: int) -> Scored:
    """Runs as they were read for `slices` of the same counts."""
    whole = totals.of(counts)
    is_sample = whole.n > most
    group = grouping([row.sessions for row in rows])
    numbers = np.asarray([row.value for row in rows], dtype=np.float64)
    is_share = whole.is_share if is_sample else all(row.is_bool for row in rows)
    sample = Sample(values=numbers, labels=group.labels, is_share=is_share, unit=group.unit)
    return Scored(rows, group, sample, counts if is_sample else None)


def slices(
    name: str, counts: Sequence[ScoreCount], within: Range, *, most: int, some: int
) -> list[Slice]:
    """Where to read the runs that have a name: all of them, or `some` if they are over `most`.

    Of each hour the newest are taken, in proportion to how many there are; of the last hour at
    least one.
    """
    whole = sum(one.runs for one in counts)
    if whole <= most:
        return [Slice(name, *within.ids, most)]
    found, seen = [], 0
    by_hour = _by_hour(counts)
    for at in sorted(by_hour):
        before, seen = seen, seen + sum(one.runs for one in by_hour[at])
        limit = seen * some // whole - before * some // whole
        if limit or seen == whole:
            found.append(_hour(name, at, within, max(1, limit)))
    return found


async def extremes(
    cursor: Reading, name: str, runs: Scored, *, project: int, within: Range, highest: bool
) -> list[RunValue]:
    """The runs with the lowest or highest values, among equals the newest first."""
    sign = -1 if highest else 1
    if runs.counts is None:
        return sorted(runs.rows, key=lambda row: sign * row.value)[:EXTREMES]
    best = {
        at: min(sign * (one.greatest if highest else one.least) for one in of_hour)
        for at, of_hour in _by_hour(runs.counts).items()
    }
    hours = sorted(best, key=lambda at: (best[at], -at.timestamp()))
    most = _HOURS
    while True:
        # No run of the other hours can be better than the best score of the next one.
        looked = [_hour(name, at, within, EXTREMES) for at in hours[:most]]
        rows = await score_values.extremes(
            cursor, looked, project=project, within=within, highest=highest
        )
        found = rows[:EXTREMES]
        if most >= len(hours) or (
            len(found) == EXTREMES and sign * found[-1].value <= best[hours[most]]
        ):
            return found
        most *= _HOURS


def _by_hour(counts: Iterable[ScoreCount]) -> dict[datetime, list[ScoreCount]]:
    found: dict[datetime, list[ScoreCount]] = defaultdict(list)
    for one in counts:
        found[one.at].append(one)
    return found


def _hour(name: str, at: datetime, within: Range, limit: int) -> Slice:
    first, next_ = max(at, within.after), min(at + HOUR, within.before)
    return Slice(name, floor_at(first), floor_at(next_), limit)
