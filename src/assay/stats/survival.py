"""How long something takes that has not happened to all yet: Kaplan and Meier's curve.

Kaplan and Meier 1958 (doi:10.2307/2281868). The variance of its logarithm is that of its influence
function summed by cluster (Ying and Wei 1994, doi:10.1006/jmva.1994.1028), times G / (G - 1) for G
clusters: for values that stand alone Greenwood's, times that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.stats.intervals import ALPHA, t_critical

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """The curve from one age on, until the next.

    Attributes:
        age: in the unit of the durations.
        share: to whom it has happened by then.
        se: of the share. `ci`: None where it can't be known: one cluster, or all have it.
        at_risk: how many were followed to this age without it.
    """

    age: float
    share: float
    se: float
    ci: tuple[float, float] | None
    at_risk: int


def maturity(
    durations: NDArray[np.float64],
    happened: NDArray[np.bool_],
    clusters: NDArray[np.int64],
    *,
    most: int = 48,
    alpha: float = ALPHA,
) -> list[CurvePoint]:
    """The share to whom it has happened by each age at which it did, `most` ages at most.

    Args:
        durations: until it happened, or how long it has not, shape (n,).
        happened: which of the two, shape (n,).
        clusters: labels of what varies on its own, shape (n,).
        most: how many points at most, at quantiles of the ages.
        alpha: one minus the confidence.
    """
    ages, events = np.unique(durations[happened], return_counts=True)
    at_risk = len(durations) - np.searchsorted(np.sort(durations), ages, side="left")
    survival = np.cumprod(1 - events / at_risk)
    # Where all who are left have it the curve ends, and its logarithm has no variance.
    rest = np.maximum(at_risk - events, 1)
    hazards = np.concatenate([[0.0], np.cumsum(events / (at_risk * rest))])
    _, place = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64) if len(place) else np.zeros(0)
    reached = np.searchsorted(ages, durations, side="right")
    own = np.where(happened, 1 / rest[np.maximum(reached - 1, 0)], 0.0) if len(ages) else None
    critical = math.inf
    if len(sizes) > 1:
        critical = t_critical(alpha, float(sizes.sum() ** 2 / (sizes**2).sum()) - 1)
    chosen = np.unique(np.linspace(0, len(ages) - 1, min(most, len(ages))).astype(int))
    points = []
    for index in chosen.tolist():
        assert own is not None
        influence = np.where(durations <= ages[index], own, 0.0)
        influence -= hazards[np.minimum(reached, index + 1)]
        sums = np.bincount(place, weights=influence)
        spread = math.sqrt(float((sums**2).sum()) * len(sums) / max(1, len(sums) - 1))
        left = float(survival[index])
        points.append(
            CurvePoint(
                age=float(ages[index]),
                share=1 - left,
                se=left * spread,
                ci=_log_log(left, spread, critical),
                at_risk=int(at_risk[index]),
            )
        )
    return points


def _log_log(left: float, spread: float, critical: float) -> tuple[float, float] | None:
    """Bounds of the share from those of log(-log S), which keep it between 0 and 1."""
    if not 0 < left < 1 or not math.isfinite(critical):
        return None
    half = min(50.0, critical * spread / -math.log(left))
    return 1 - left ** math.exp(-half), 1 - left ** math.exp(half)
