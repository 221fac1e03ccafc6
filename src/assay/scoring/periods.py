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
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

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
    name: str,
    counts: Sequence[ScoreCount],
    within: Range,
    *,
    most: int,
    some: int,
    per: timedelta = HOUR,
) -> list[Slice]:
    """Where to read the runs that have a name: all of them, or `some` if they are over `most`.

    Those are `spread` over what was counted together, `per`.
    """
    if sum(one.runs for one in counts) <= most:
        return [Slice(name, *within.ids, most)]
    by_time = {at: sum(one.runs for one in counted) for at, counted in _by_time(counts).items()}
    return [Slice(name, *_ids(at, within, per), limit) for at, limit in spread(by_time, some=some)]


def spread(counts: Mapping[datetime, int], *, some: int) -> Iterator[tuple[datetime, int]]:
    """How many to take of each time in proportion to what was counted; of the last at least one."""
    whole, seen = sum(counts.values()), 0
    for at in sorted(counts):
        before, seen = seen, seen + counts[at]
        limit = seen * some // whole - before * some // whole
        if limit or seen == whole:
            yield at, max(1, limit)


async def extremes(
    cursor: Reading, name: str, runs: Scored, *, project: int, within: Range, highest: bool
) -> list[RunValue]:
    """The runs with the lowest or highest values, among equals the newest first."""
    sign = -1 if highest else 1
    if runs.counts is None:
        return sorted(runs.rows, key=lambda row: sign * row.value)[:EXTREMES]
    best = {
        at: min(sign * (one.greatest if highest else one.least) for one in of_hour)
        for at, of_hour in _by_time(runs.counts).items()
    }
    hours = sorted(best, key=lambda at: (best[at], -at.timestamp()))
    most = _HOURS
    while True:
        # No run of the other hours can be better than the best score of the next one.
        looked = [Slice(name, *_ids(at, within, HOUR), EXTREMES) for at in hours[:most]]
        rows = await score_values.extremes(
            cursor, looked, project=project, within=within, highest=highest
        )
        found = rows[:EXTREMES]
        if most >= len(hours) or (
            len(found) == EXTREMES and sign * found[-1].value <= best[hours[most]]
        ):
            return found
        most *= _HOURS


def _by_time(counts: Iterable[ScoreCount]) -> dict[datetime, list[ScoreCount]]:
    found: dict[datetime, list[ScoreCount]] = defaultdict(list)
    for one in counts:
        found[one.at].append(one)
    return found


def _ids(at: datetime, within: Range, per: timedelta) -> tuple[UUID, UUID]:
    return floor_at(max(at, within.after)), floor_at(min(at + per, within.before))
