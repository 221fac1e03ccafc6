"""The share of runs that failed, where the runs of a session are alike."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
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
    """

    rows: Sequence[EndedRun]
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
        sample = _sample(
            [one for one in self.rows if function is None or (one.app, one.fn) == function]
        )
        if not self.is_sampled or not n_ended:
            return sample.estimate()
        return sample.around(n_failed / n_ended)


def _sample(rows: Sequence[EndedRun]) -> Sample:
    """1 for each that failed and 0 for the others, in sessions of the key that suits its function.

    What all functions have in common may group everything into one.
    """
    by_function: dict[tuple[str, str], list[str | None]] = defaultdict(list)
    for row in rows:
        by_function[row.app, row.fn].append(row.sessions)
    keys = {function: grouping(sessions).key for function, sessions in by_function.items()}
    known: dict[tuple[str | None, str], int] = {}
    labels = []
    for place, row in enumerate(rows):
        key = keys[row.app, row.fn]
        id_ = json.loads(row.sessions).get(key) if row.sessions else None
        labels.append(
            len(rows) + place if id_ is None else known.setdefault((key, id_), len(known))
        )
    return Sample(
        values=np.asarray([row.is_failed for row in rows], dtype=np.float64),
        labels=np.asarray(labels, dtype=np.int64),
        is_share=True,
        unit="session" if any(keys.values()) else "run",
    )


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
    return Ended(rows, is_sampled=by_time.total() > len(rows))
