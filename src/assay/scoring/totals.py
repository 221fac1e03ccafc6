"""Rates and means of scores from hourly counts, in which a run counts once with its mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.stats.intervals import mean, proportion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.stats.intervals import Estimate
    from assay.store.rollups import ScoreCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A score over runs.

    Attributes:
        n: runs that have it. `n_bool`: those where it is a boolean throughout.
        total: the sum of the runs' means; `squares`: of their squares.
    """

    n: int
    n_bool: int
    total: float
    squares: float

    @property
    def is_share(self) -> bool:
        """Whether it is a boolean in all of them."""
        return self.n == self.n_bool

    @property
    def deviation(self) -> float:
        """The standard deviation of the runs' means; 0 for a single run."""
        if self.n <= 1:
            return 0.0
        about = self.squares - self.total * self.total / self.n
        return math.sqrt(max(0.0, about) / (self.n - 1))

    def estimate(self, *, is_share: bool) -> Estimate:
        """The rate or the mean, with the interval that holds where runs vary on their own."""
        if is_share:
            return proportion(min(self.total, self.n), self.n, unit="run")
        average = self.total / self.n if self.n else 0.0
        return mean(self.n, average, self.deviation, unit="run")


def of(counts: Iterable[ScoreCount]) -> Totals:
    """Counts of one name, summed up."""
    counted = [*counts]
    return Totals(
        n=sum(one.runs for one in counted),
        n_bool=sum(one.runs_bool for one in counted),
        total=math.fsum(one.means for one in counted),
        squares=math.fsum(one.mean_squares for one in counted),
    )
