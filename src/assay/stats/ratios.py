"""Means as ratios over units and their differences, from sums over the units alone.

With Y_g of N_g values of unit g, R = ΣY/ΣN is the mean, and the residuals
e_g = (Y_g - R N_g) / sqrt(1 - N_g/ΣN) give its variance V = Σe²/(ΣN)² (the linearised ratio with
the CR2 correction, Bell and McCaffrey 2002). Geff = (ΣN)²/ΣN² units of equal size would tell as
much (Kish 1965).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDING = 1e-12
"""Of the variances of two means, what rounding may leave of a difference without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The mean of one arm.

    Attributes:
        variance: of the mean; infinite for a single unit.
        units: those with values.
        values: how many.
        effective: Geff.
    """

    estimate: float
    variance: float
    units: int
    values: float
    effective: float

    @property
    def df(self) -> float:
        """Degrees of freedom: Geff - 1."""
        return self.effective - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Treatment minus control.

    Attributes:
        df: degrees of freedom, after Satterthwaite 1946; infinite without variance.
    """

    estimate: float
    variance: float
    df: float

    @property
    def se(self) -> float:
        """Standard error."""
        return math.sqrt(self.variance)


def mean(*, units: int, n: float, y: float, n_squares: float, e_squares: float) -> Mean:
    """The mean of an arm from ΣN, ΣY, ΣN² and Σe²; a ZeroDivisionError without values."""
    return Mean(
        estimate=y / n,
        variance=e_squares / n**2,
        units=units,
        values=n,
        effective=n**2 / n_squares,
    )


def with_failures(
    scored: Mean,
    *,
    mature: float,
    failed: float,
    e_squares: float,
    d_squares: float,
    joint: float,
    value: float,
) -> Mean:
    """The mean over all runs of which the end is known, failed ones counted as *value*.

    With φ the share of failed runs among *mature* ones and d the residuals of that ratio, it is
    φ value + (1-φ) R, its influences (1-φ) e/ΣN + (value - R) d/ΣM.

    *e_squares* is Σe² of the scored runs, *d_squares* Σd² of the failed among the mature ones,
    *joint* Σ e d over units.
    """
    if failed == 0:
        return scored
    share = failed / mature
    by_score = (1 - share) / scored.values
    by_failure = (value - scored.estimate) / mature
    return Mean(
        estimate=share * value + (1 - share) * scored.estimate,
        variance=by_score**2 * e_squares
        + 2 * by_score * by_failure * joint
        + by_failure**2 * d_squares,
        units=scored.units,
        values=scored.values,
        effective=scored.effective,
    )


def imputed(
    *,
    units: int,
    mature: float,
    mature_squares: float,
    total: float,
    variance: float,
) -> Mean:
    """The mean over all mature runs where each has a value, its own or one that is supposed.

    *total* is the sum of those values, *variance* the sum over units of its squared residuals.
    """
    return Mean(
        estimate=total / mature,
        variance=variance / mature**2,
        units=units,
        values=mature,
        effective=mature**2 / mature_squares,
    )


def stratified(arms: Sequence[Mean], weights: Sequence[float]) -> Mean:
    """One arm over several strata, whose weights sum to 1."""
    variance = math.fsum(w**2 * arm.variance for arm, w in zip(arms, weights, strict=True))
    return Mean(
        estimate=math.fsum(w * arm.estimate for arm, w in zip(arms, weights, strict=True)),
        variance=variance,
        units=sum(arm.units for arm in arms),
        values=math.fsum(arm.values for arm in arms),
        effective=1 + _df(variance, [(w, arm) for arm, w in zip(arms, weights, strict=True)])
        if variance
        else math.fsum(arm.effective for arm in arms),
    )


def difference(
    control: Sequence[Mean],
    treatment: Sequence[Mean],
    weights: Sequence[float],
    covariances: Sequence[float],
) -> Difference:
    """Treatment minus control over strata, whose weights sum to 1.

    V = Σ w² (V_0 + V_1 - 2 C), df = V² / Σ (w² V_a)² / (Geff_a - 1) over strata and arms, with C
    the covariance of a stratum's two means: of clusters with values in both.
    """
    parts = [
        (w, arm) for arms in (control, treatment) for arm, w in zip(arms, weights, strict=True)
    ]
    apart = math.fsum(w**2 * arm.variance for w, arm in parts)
    together = math.fsum(2 * w**2 * c for w, c in zip(weights, covariances, strict=True))
    variance = apart - together
    if variance < _ROUNDING * apart:
        # Clusters vary alike in both arms: what is left, of either sign, is rounding.
        variance = 0.0
    return Difference(
        estimate=math.fsum(
            w * (b.estimate - a.estimate)
            for a, b, w in zip(control, treatment, weights, strict=True)
        ),
        variance=variance,
        df=_df(variance, parts),
    )


def _df(variance: float, parts: Sequence[tuple[float, Mean]]) -> float:
    if not variance:
        return math.inf
    # In shares, since the square of a variance may be too large or too small for a number. Where
    # one unit outweighs all others of its arm it has no df; rounding must not make it 0 / 0.
    spread = math.fsum(
        (w**2 * arm.variance / variance) ** 2 / max(arm.df, 1e-300)
        for w, arm in parts
        if arm.variance
    )
    return 1 / spread if spread else math.inf
