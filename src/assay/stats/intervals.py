"""Means, proportions and differences with their confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

from assay.stats import clusters

ALPHA = 0.05
"""One minus the confidence, where nothing else is asked for."""

MIN_CLUSTERS = 10
"""Under so many clusters in an arm a difference has no interval: none keeps its promise there."""

_LEAST_DF = 0.01
"""There t is over 1e120, and below it the numerical inversion of its distribution goes wrong."""

_NO_VALUES = "there are no values"
_NOT_SAMPLED = "no {unit} of the sample has it"
_ONE_CLUSTER = "one {unit} tells nothing of the variation between {unit}s"
_ALL_AGREE = "all {unit}s agree, so their variation is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with what it takes to trust it.

    Attributes:
        estimate: None where there are no values.
        ci: bounds of the confidence interval of level 1 - alpha.
        se: standard error.
        method: how the interval was made: `wilson`, `wilson_neff` or `cr2_t`.
        unit: what varies on its own: `value`, `cluster`, `task`, `account`.
        n_units: how many of them there are.
        n_eff: how many independent values, for a difference clusters, would tell as much.
        alpha: one minus the confidence.
        reason: why a part is None, in one sentence.
    """

    estimate: float | None = None
    ci: tuple[float, float] | None = None
    se: float | None = None
    method: str
    unit: str
    n_units: int
    n_eff: float | None = None
    alpha: float
    reason: str | None = None


def t_critical(alpha: float, df: float) -> float:
    """The two-sided critical value of Student's t; infinite under `_LEAST_DF`."""
    # Importing it costs twice what numpy costs, and plain proportions never need it.
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(stdtrit(df, 1 - alpha / 2)) if df >= _LEAST_DF else math.inf


def wilson_bounds(p: float, n: float, critical: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, doi:10.2307/2276774).

    `centre = (p n + c²/2) / (n + c²)`, `half = c / (n + c²) · sqrt(n p (1 - p) + c²/4)`.

    Args:
        p: the proportion, 0 to 1.
        n: the number of values, or the effective number.
        critical: c, of the normal or the t distribution.
    """
    # The same with r = n/c² and no c² that could overflow for very few degrees of freedom.
    r = n / critical / critical
    centre = (p * r + 0.5) / (r + 1)
    half = math.sqrt(r * p * (1 - p) + 0.25) / (r + 1)
    # The interval holds p, and at 0 and 1 ends there, whatever the rounding.
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def proportion(successes: float, n: int, *, alpha: float = ALPHA, unit: str = "value") -> Estimate:
    """The share of successes among independent values, with Wilson's interval.

    Where values lie between 0 and 1, their sum may stand for successes: they vary by less, so that
    the interval is rather too wide.

    Raises:
        ValueError: unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes among {n} values")
    bare = Estimate(method="wilson", unit=unit, n_units=n, alpha=alpha)
    if n == 0:
        return replace(bare, reason=_NO_VALUES)
    p = successes / n
    return replace(
        bare,
        estimate=p,
        ci=wilson_bounds(p, n, NormalDist().inv_cdf(1 - alpha / 2)),
        se=math.sqrt(p * (1 - p) / n),
        n_eff=float(n),
    )


def clustered_proportion(
    arm: clusters.Arm, *, alpha: float = ALPHA, unit: str = "cluster"
) -> Estimate:
    """The mean of values from 0 to 1 in clusters: Wilson's interval with the effective number.

    `n_eff = p (1 - p) / V`, V by CR2, p kept 1/2n away from 0 and 1; the number of effective
    clusters where the clusters agree. The critical value is t with that number less one.
    """
    bare = Estimate(method="wilson_neff", unit=unit, n_units=arm.n_clusters, alpha=alpha)
    if arm.n_clusters == 0:
        return replace(bare, reason=_NO_VALUES)
    p = min(1.0, max(0.0, arm.mean))
    if arm.n_clusters == 1:
        return replace(bare, estimate=p, reason=_ONE_CLUSTER.format(unit=unit))
    spread = clusters.variance(arm)
    n_eff, ci = wilson_neff(
        p, spread, n_values=arm.n_values, effective=arm.effective_clusters, alpha=alpha
    )
    return replace(bare, estimate=p, ci=ci, se=math.sqrt(spread), n_eff=n_eff)


def carried(
    known: float,
    sample: clusters.Arm,
    *,
    is_share: bool,
    alpha: float = ALPHA,
    unit: str = "cluster",
) -> Estimate:
    """A share or mean that is known of all values, with the interval that a sample of them gives.

    Fewer clusters vary more, so that the interval is rather too wide. `n_units` and `n_eff` are the
    sample's.
    """
    method = "wilson_neff" if is_share else "cr2_t"
    bare = Estimate(
        method=method, unit=unit, n_units=sample.n_clusters, alpha=alpha, estimate=known
    )
    if sample.n_clusters == 0:
        return replace(bare, reason=_NOT_SAMPLED.format(unit=unit))
    if sample.n_clusters == 1:
        return replace(bare, reason=_ONE_CLUSTER.format(unit=unit))
    spread, effective = clusters.variance(sample), sample.effective_clusters
    if not is_share:
        return _with_t(bare, spread, effective - 1, (sample,))
    p = min(1.0, max(0.0, sample.mean))
    n_eff, _ = wilson_neff(p, spread, n_values=sample.n_values, effective=effective, alpha=alpha)
    return replace(
        bare,
        ci=wilson_bounds(known, n_eff, t_critical(alpha, effective - 1)),
        se=math.sqrt(known * (1 - known) / n_eff),
        n_eff=n_eff,
    )


def wilson_neff(
    p: float, variance: float, *, n_values: float, effective: float, alpha: float
) -> tuple[float, tuple[float, float]]:
    """The effective number of values behind a mean of values from 0 to 1, and its interval.

    Args:
        p: the mean, 0 to 1.
        variance: of the mean.
        n_values: how many values there are.
        effective: the effective number of clusters.
        alpha: one minus the confidence.
    """
    n_eff = effective
    if _is_above_rounding(variance, 1.0):
        edge = 1 / (2 * n_values)
        inner = min(1 - edge, max(edge, p))
        n_eff = inner * (1 - inner) / variance
    return n_eff, wilson_bounds(p, n_eff, t_critical(alpha, effective - 1))


def clustered_mean(arm: clusters.Arm, *, alpha: float = ALPHA, unit: str = "cluster") -> Estimate:
    """The mean of any values in clusters: `R ± t sqrt(V)`, V by CR2, Geff - 1 degrees of freedom.

    There is no interval for a single cluster, nor where all clusters agree.
    """
    bare = Estimate(method="cr2_t", unit=unit, n_units=arm.n_clusters, alpha=alpha)
    if arm.n_clusters == 0:
        return replace(bare, reason=_NO_VALUES)
    known = replace(bare, estimate=arm.mean)
    if arm.n_clusters == 1:
        return replace(known, reason=_ONE_CLUSTER.format(unit=unit))
    return _with_t(known, clusters.variance(arm), arm.effective_clusters - 1, (arm,))


def difference(
    control: clusters.Arm,
    treatment: clusters.Arm,
    *,
    alpha: float = ALPHA,
    unit: str = "cluster",
) -> Estimate:
    """Mean of treatment less mean of control: `Δ ± t sqrt(V)`, V by CR2, Satterthwaite's df.

    `n_units` counts a cluster with values in both arms once; `n_eff` is df + 1. There is no
    interval with fewer than `MIN_CLUSTERS` in an arm, nor where no cluster varies.
    """
    n_units = len(set(control.labels) | set(treatment.labels))
    bare = Estimate(method="cr2_t", unit=unit, n_units=n_units, alpha=alpha)
    fewest = min(control.n_clusters, treatment.n_clusters)
    if fewest == 0:
        return replace(bare, reason="an arm has no values")
    known = replace(bare, estimate=treatment.mean - control.mean)
    if fewest < MIN_CLUSTERS:
        return replace(known, reason=f"an arm has fewer than {MIN_CLUSTERS} {unit}s")
    spread = clusters.difference_variance(control, treatment)
    df = clusters.difference_df(control, treatment)
    return _with_t(known, spread, df, (control, treatment))


def _with_t(known: Estimate, spread: float, df: float, arms: tuple[clusters.Arm, ...]) -> Estimate:
    """An estimate with its symmetric interval; its standard error alone where there is none."""
    scale = max(abs(arm.sums / arm.counts).max() for arm in arms)
    known = replace(known, se=math.sqrt(spread), n_eff=df + 1)
    if known.estimate is None or not _is_above_rounding(spread, scale):
        return replace(known, se=0.0, n_eff=None, reason=_ALL_AGREE.format(unit=known.unit))
    half = t_critical(known.alpha, df) * math.sqrt(spread)
    if not math.isfinite(half):
        return replace(known, reason=f"one {known.unit} outweighs all others")
    return replace(known, ci=(known.estimate - half, known.estimate + half))


def _is_above_rounding(spread: float, scale: float) -> bool:
    """Whether a variance is more than what rounding leaves of none, for values up to `scale`."""
    return spread > (1e-12 * scale) ** 2
