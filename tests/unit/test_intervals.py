"""Intervals: published numbers, statsmodels, exact and simulated coverage, invariants."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import comb
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from assay.stats import clusters, intervals

VECTORS = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())

SHARES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from("abcdef")),
    min_size=1,
    max_size=30,
)


def arm_of(rows: list[tuple[float, str]]) -> clusters.Arm:
    """The arm of pairs (value, label)."""
    return clusters.by_cluster(*zip(*rows, strict=True))


def bounds(estimate: intervals.Estimate) -> tuple[float, float]:
    """The interval, which must be there."""
    assert estimate.ci is not None
    return estimate.ci


@pytest.mark.parametrize("case", VECTORS["wilson_95"], ids=lambda case: f"{case['k']}-{case['n']}")
def test_published_wilson_intervals(case: dict[str, Any]) -> None:
    """To the last published digit."""
    digits = 4 if "Newcombe" in case["src"] else 3

    found = bounds(intervals.proportion(case["k"], case["n"]))

    # One source cuts digits off where the others round.
    assert found == pytest.approx((case["lo"], case["hi"]), abs=0.51 * 10**-digits)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_statsmodels(case: tuple[int, int]) -> None:
    """At any level."""
    for alpha in (0.1, 0.05, 0.01):
        found = bounds(intervals.proportion(*case, alpha=alpha))

        assert found == pytest.approx(proportion_confint(*case, alpha, method="wilson"), abs=1e-12)


def test_five_of_five() -> None:
    """All passed, and yet the rate may be 57 %."""
    estimate = intervals.proportion(5, 5, unit="item")

    assert bounds(estimate) == pytest.approx((0.566, 1), abs=5e-4)
    assert bounds(estimate)[1] == 1
    assert (estimate.estimate, estimate.method, estimate.unit) == (1, "wilson", "item")


@pytest.mark.parametrize(("n", "mean"), [(3, 0.956), (10, 0.954), (30, 0.952), (100, 0.951)])
def test_exact_coverage_of_wilson(n: int, mean: float) -> None:
    """Averaged over p it is 95 % and a little more; nowhere does it fall under 82 %."""
    p = np.linspace(0, 1, 1002)[1:-1]
    coverage = np.zeros_like(p)
    for k in range(n + 1):
        lower, upper = bounds(intervals.proportion(k, n))
        coverage += comb(n, k) * p**k * (1 - p) ** (n - k) * ((lower <= p) & (p <= upper))

    assert coverage.mean() == pytest.approx(mean, abs=1e-3)
    assert coverage.min() > 0.82


@pytest.mark.parametrize(
    ("n_clusters", "p", "expected"),
    [(8, 0.8, 0.959), (30, 0.8, 0.952), (15, 0.95, 0.977), (30, 0.95, 0.921)],
)
def test_simulated_coverage_with_clusters(n_clusters: int, p: float, expected: float) -> None:
    """Beta-binomial clusters of 5 with an intraclass correlation of 0.3, 2,000 times."""
    rng = np.random.default_rng(1)
    odds = (1 - 0.3) / 0.3
    rates = rng.beta(p * odds, (1 - p) * odds, size=(2_000, n_clusters))
    inside = 0
    for sums in rng.binomial(5, rates):
        arm = clusters.from_sums(range(n_clusters), sums, [5] * n_clusters)
        lower, upper = bounds(intervals.clustered_proportion(arm))
        inside += lower <= p <= upper

    assert inside / 2_000 == pytest.approx(expected, abs=0.02)


def test_difference_without_clusters_is_welchs() -> None:
    """The same interval and degrees of freedom as statsmodels gives for unequal variances."""
    rng = np.random.default_rng(2)
    control, treatment = rng.normal(0, 1, 12), rng.normal(1, 3, 40)
    oracle = CompareMeans(DescrStatsW(treatment), DescrStatsW(control))

    found = intervals.difference(
        clusters.by_cluster(control, range(12)), clusters.by_cluster(treatment, range(100, 140))
    )

    assert bounds(found) == pytest.approx(oracle.tconfint_diff(usevar="unequal"), rel=1e-9)
    assert found.n_eff == pytest.approx(oracle.dof_satt() + 1, rel=1e-9)
    assert found.n_units == 52


def test_mean_without_clusters_is_students() -> None:
    """`tconfint_mean`."""
    values = np.random.default_rng(3).normal(5, 2, 20)

    found = intervals.clustered_mean(clusters.by_cluster(values, range(20)))

    assert bounds(found) == pytest.approx(DescrStatsW(values).tconfint_mean(), rel=1e-9)


def test_when_clusters_agree_their_number_counts() -> None:
    """30 passes in 5 clusters are worth 5, with the wide t of 4 degrees of freedom."""
    arm = clusters.from_sums("abcde", [6] * 5, [6] * 5)

    estimate = intervals.clustered_proportion(arm)

    assert (estimate.estimate, estimate.se, estimate.n_eff) == (1, 0, 5)
    assert bounds(estimate) == pytest.approx((5 / (5 + 2.776445**2), 1), abs=1e-6)


def test_p_is_kept_off_the_edges_in_the_effective_number() -> None:
    """A mean of 0.001 over 20 values counts as 1/40 there, and stays what it is elsewhere."""
    arm = clusters.from_sums(range(20), [0.02, *[0.0] * 19], [1] * 20)

    estimate = intervals.clustered_proportion(arm)

    assert estimate.estimate == pytest.approx(0.001)
    assert estimate.n_eff == pytest.approx(1 / 40 * 39 / 40 / clusters.variance(arm))


NO_ARM = clusters.from_sums("", [], [])
ONE = clusters.from_sums("a", [1], [2])
SAME = clusters.from_sums(range(10), [1] * 10, [3] * 10)
THIRDS = clusters.from_sums(range(10), [0.1 * n for n in range(1, 11)], range(1, 11))
LOPSIDED = clusters.from_sums("ab", [0, 1], [1e15, 1])


@pytest.mark.parametrize(
    ("estimate", "value", "reason"),
    [
        (intervals.proportion(0, 0), None, "there are no values"),
        (intervals.clustered_proportion(NO_ARM), None, "there are no values"),
        (intervals.clustered_mean(NO_ARM), None, "there are no values"),
        (intervals.difference(NO_ARM, SAME), None, "an arm has no values"),
        (intervals.clustered_proportion(ONE, unit="task"), 0.5, "one task tells nothing"),
        (intervals.clustered_mean(ONE), 0.5, "one cluster tells nothing"),
        (intervals.clustered_mean(SAME), 1 / 3, "all clusters agree"),
        (intervals.clustered_mean(THIRDS), 0.1, "all clusters agree"),
        (intervals.clustered_mean(LOPSIDED), 1e-15, "one cluster outweighs all others"),
        (intervals.difference(SAME, SAME), 0, "all clusters agree"),
        (intervals.difference(SAME, ONE, unit="account"), 1 / 6, "fewer than 10 accounts"),
    ],
)
def test_what_is_not_known_is_none_with_a_reason(
    estimate: intervals.Estimate, value: float | None, reason: str
) -> None:
    """Never 0, never an interval of no width."""
    assert estimate.estimate == (None if value is None else pytest.approx(value))
    assert estimate.ci is None
    assert estimate.reason is not None
    assert reason in estimate.reason


def test_rounding_is_not_variation() -> None:
    """Means that differ in the last bit are the same mean."""
    assert intervals.clustered_proportion(THIRDS).n_eff == THIRDS.effective_clusters


def test_one_cluster_that_outweighs_the_rest_gives_the_whole_range() -> None:
    """So few degrees of freedom that t has no finite critical value."""
    assert bounds(intervals.clustered_proportion(LOPSIDED)) == (0, 1)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    """They are mistakes of the caller."""
    with pytest.raises(ValueError, match="successes among"):
        intervals.proportion(successes, n)


@given(SHARES)
def test_an_interval_holds_its_estimate(rows: list[tuple[float, str]]) -> None:
    """And stays within 0 and 1."""
    estimate = intervals.clustered_proportion(arm_of(rows))
    if estimate.ci is None:
        return

    lower, upper = estimate.ci
    assert estimate.estimate is not None
    assert 0 <= lower <= estimate.estimate <= upper <= 1
    assert lower < upper


@given(SHARES)
def test_calling_passes_failures_mirrors_the_interval(rows: list[tuple[float, str]]) -> None:
    """1 - p has the interval (1 - upper, 1 - lower) and the same standard error."""
    one = intervals.clustered_proportion(arm_of(rows))
    other = intervals.clustered_proportion(arm_of([(1 - value, label) for value, label in rows]))
    if one.ci is None or one.se is None:
        assert other.ci is None
        return

    assert (1 - one.ci[1], 1 - one.ci[0]) == pytest.approx(bounds(other), abs=1e-9)
    assert other.se == pytest.approx(one.se, abs=1e-12)


@given(SHARES, st.permutations("abcdef"))
def test_the_names_of_clusters_mean_nothing(
    rows: list[tuple[float, str]], names: list[str]
) -> None:
    """Renamed and sorted anew, all is the same."""
    renamed = sorted((value, names["abcdef".index(label)]) for value, label in rows)

    assert intervals.clustered_proportion(arm_of(rows)) == intervals.clustered_proportion(
        arm_of(renamed)
    )


@given(st.integers(0, 60), st.floats(0.001, 0.5))
def test_more_confidence_is_a_wider_interval(successes: int, alpha: float) -> None:
    """Each interval lies in that of a smaller alpha."""
    inner = bounds(intervals.proportion(successes, 60, alpha=alpha))
    outer = bounds(intervals.proportion(successes, 60, alpha=alpha / 2))

    assert outer[0] <= inner[0] <= inner[1] <= outer[1]
    assert math.isfinite(sum(inner))
