"""Rates and means of scores from hourly counts, in which a run counts once with its mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.store.rollups import ScoreCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A score over runs.

    Attributes:
        n: runs that have it. `n_bool`: those where it is a boolean throughout.
        total: the sum of the runs' means.
    """

    n: int
    n_bool: int
    total: float

    @property
    def is_share(self) -> bool:
        """Whether it is a boolean in all of them."""
        return self.n == self.n_bool


def of(counts: Iterable[ScoreCount]) -> Totals:
    """Counts of one name, summed up."""
    counted = [*counts]
    return Totals(
        n=sum(one.runs for one in counted),
        n_bool=sum(one.runs_bool for one in counted),
        total=math.fsum(one.means for one in counted),
    )
