"""The share of runs that failed, where the runs of a session are alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.ids import floor_at
from assay.scoring.periods import spread
from assay.scoring.samples import Sample, grouping
from assay.store import activity
from assay.store.rollups import LIVE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from assay.stats.intervals import Estimate
    from assay.store.activity import EndedRun
    from assay.store.pages import Reading
    from assay.store.rollups import Counted, RunCount

MOST_RUNS = 1_000
"""Over so many runs that have ended so many of them stand for all in intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Runs that have ended in a stretch of time.

    Attributes:
        rows: all of them; some, where `is_sampled`.
        sample: 1 for each that failed, 0 for the others.
    """

    rows: Sequence[EndedRun]
    sample: Sample
    is_sampled: bool

    def share(
        self, n_failed: int, n_ended: int, *, function: tuple[str, str] | None = None
    ) -> Estimate:
        """The share of those that failed, of all or of one function.

        Args:
            n_failed: how many failed.
            n_ended: of how many.
            function: its app and id.
        """
        chosen = np.fromiter(
            (function is None or (one.app, one.fn) == function for one in self.rows),
            dtype=np.bool_,
            count=len(self.rows),
        )
        if not self.is_sampled or not n_ended:
            return self.sample.estimate(chosen)
        return self.sample.around(n_failed / n_ended, chosen)


async def ended(
    cursor: Reading, counts: Sequence[RunCount], counted: Counted, *, per: timedelta
) -> Ended:
    """The runs that have ended, or some that are spread over the time as all of them are.

    Of a single function there are those among the newest runs of all: a rare one's are not worth
    a look at each run.

    Args:
        cursor: of a reader of the project.
        counts: what was counted of them.
        counted: which runs these were.
        per: the length of the stretches that were counted together.
    """
    by_time: Counter[datetime] = Counter()
    for one in counts:
        if one.status != LIVE:
            by_time[one.at] += one.n
    function = counted.app, counted.function
    stretches = [(floor_at(counted.since), floor_at(counted.until), MOST_RUNS)]
    if counted.function is None and by_time.total() > MOST_RUNS:
        stretches = [
            (floor_at(max(at, counted.since)), floor_at(min(at + per, counted.until)), limit)
            for at, limit in spread(by_time, some=MOST_RUNS)
        ]
    rows = await activity.ended(cursor, stretches, project=counted.project)
    if counted.function is not None:
        rows = [row for row in rows if (row.app, row.fn) == function]
    group = grouping([row.sessions for row in rows])
    values = np.asarray([row.is_failed for row in rows], dtype=np.float64)
    sample = Sample(values=values, labels=group.labels, is_share=True, unit=group.unit)
    return Ended(rows, sample, is_sampled=by_time.total() > len(rows))
