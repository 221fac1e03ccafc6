"""Means of clustered values, against statsmodels and published numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from assay.stats import clusters

DATA = Path(__file__).parents[1] / "data"
FIRM, YEAR, X, Y = np.loadtxt(DATA / "petersen.txt.xz").T
ROWS = np.arange(len(Y))

VALUES = st.lists(
    st.tuples(st.floats(-1e6, 1e6), st.sampled_from("abcdef")), min_size=1, max_size=30
)


def oracle(regressors: Any, groups: Any) -> Any:
    """Least squares of Petersen's y with clustered (CR1) standard errors."""
    return sm.OLS(Y, regressors).fit(
        cov_type="cluster", cov_kwds={"groups": groups.astype(int), "use_correction": True}
    )


def cr1(influence: Any, regressors: int) -> float:
    """The standard error from influences without leverage and Stata's factor."""
    groups, rows = len(influence), len(Y)
    factor = groups / (groups - 1) * (rows - 1) / (rows - regressors)
    return math.sqrt(factor * math.fsum(influence**2))


@pytest.mark.parametrize("groups", [FIRM, YEAR, ROWS], ids=["firm", "year", "row"])
def test_a_mean_has_the_standard_error_of_statsmodels(groups: Any) -> None:
    """A mean is a regression on a constant."""
    arm = clusters.by_cluster(Y, groups)
    fit = oracle(np.ones(len(Y)), groups)

    assert arm.mean == pytest.approx(fit.params[0], rel=1e-12)
    assert cr1(clusters.influence(arm, leverage=False), 1) == pytest.approx(fit.bse[0], rel=1e-10)


@pytest.mark.parametrize("groups", [FIRM, YEAR], ids=["firm", "year"])
def test_a_difference_nets_clusters_that_are_in_both_arms(groups: Any) -> None:
    """A difference is a regression on an indicator; here each cluster has values in both arms."""
    treated = X > 0
    arms = [clusters.by_cluster(Y[side], groups[side]) for side in (~treated, treated)]
    fit = oracle(sm.add_constant(treated.astype(float)), groups)
    net: dict[Any, float] = {}
    for sign, arm in zip((-1, 1), arms, strict=True):
        for label, part in zip(arm.labels, clusters.influence(arm, leverage=False), strict=True):
            net[label] = net.get(label, 0) + sign * part

    assert arms[1].mean - arms[0].mean == pytest.approx(fit.params[1], rel=1e-10)
    assert cr1(np.array(list(net.values())), 2) == pytest.approx(fit.bse[1], rel=1e-10)
    assert math.sqrt(clusters.difference_variance(*arms)) == pytest.approx(fit.bse[1], rel=0.06)


@pytest.mark.parametrize(
    ("groups", "published"),
    [(FIRM, 0.0506), (YEAR, 0.0334), (ROWS, 0.0284)],
    ids=["firm", "year", "white"],
)
def test_petersens_standard_errors(groups: Any, published: float) -> None:
    """A slope is a ratio too: of Σ(x - x̄)(y - ȳ) to Σ(x - x̄)²."""
    labels, place = np.unique(groups, return_inverse=True)
    dx, dy = X - X.mean(), Y - Y.mean()
    arm = clusters.from_sums(
        labels.tolist(),
        np.bincount(place, dx * dy).tolist(),
        np.bincount(place, dx * dx).tolist(),
    )
    found = cr1(clusters.influence(arm, leverage=False), 2)

    assert arm.mean == pytest.approx(1.0348, abs=5e-5)
    assert found == pytest.approx(published, abs=5e-5)
    assert found == pytest.approx(oracle(sm.add_constant(X), groups).bse[1], rel=1e-9)


def test_petersens_error_of_firms_and_years() -> None:
    """Of both: what firms and what years add, less what rows add to each."""
    published = json.loads((DATA / "statistics_vectors.json").read_text())["clustered_se"]
    dx, dy = X - X.mean(), Y - Y.mean()
    parts = []
    for groups in (FIRM, YEAR, ROWS):
        place = np.unique(groups, return_inverse=True)[1]
        sums, counts = np.bincount(place, dx * dy), np.bincount(place, dx * dx)
        arm = clusters.from_sums(range(len(sums)), sums.tolist(), counts.tolist())
        parts.append(cr1(clusters.influence(arm, leverage=False), 2) ** 2)
    firm, year, row = parts
    assert math.sqrt(firm + year - row) == pytest.approx(published["both"], abs=5e-5)


def test_the_standard_error_of_inspect() -> None:
    """0 to 19 in four clusters, with its factor G / (G - 1)."""
    published = json.loads((DATA / "statistics_vectors.json").read_text())["clustered_se"]
    arm = clusters.by_cluster(range(20), [i % 4 for i in range(20)])
    found = math.sqrt(4 / 3 * math.fsum(clusters.influence(arm, leverage=False) ** 2))
    assert found == pytest.approx(published["inspect_i_mod4_n20"], abs=5e-7)


def test_the_ratio_of_tea_tasting() -> None:
    """The delta method with the sample variance between units, which is CR1."""
    published = json.loads((DATA / "statistics_vectors.json").read_text())["ratio_delta"]
    arms = [
        clusters.from_sums(
            range(14),
            [(3 * unit + 5 * arm) % (2 + (unit * unit + arm) % 7) for unit in range(14)],
            [1 + (unit * unit + arm) % 7 for unit in range(14)],
        )
        for arm in (0, 1)
    ]
    difference = arms[1].mean - arms[0].mean
    spread = math.fsum(
        14 / 13 * math.fsum(clusters.influence(arm, leverage=False) ** 2) for arm in arms
    )
    assert difference == pytest.approx(published["difference"], rel=1e-12)
    assert difference / math.sqrt(spread) == pytest.approx(published["t"], rel=1e-12)


def test_without_clusters_cr2_is_the_textbook_variance_of_a_mean() -> None:
    """s² / n, also known as HC2."""
    arm = clusters.by_cluster(Y, ROWS)

    assert clusters.variance(arm) == pytest.approx(Y.var(ddof=1) / len(Y), rel=1e-12)
    assert clusters.variance(arm) == pytest.approx(
        sm.OLS(Y, np.ones(len(Y))).fit(cov_type="HC2").bse[0] ** 2, rel=1e-10
    )


def test_cr2_by_hand() -> None:
    """Two clusters, of 1 and 3 values: R = 3/4, ψ = 1/16·(1/sqrt(3/4), -1/sqrt(1/4))."""
    arm = clusters.by_cluster([1, 1, 1, 0], ["a", "b", "b", "b"])

    assert clusters.influence(arm) == pytest.approx([1 / 16 / 0.75**0.5, -1 / 16 / 0.25**0.5])
    assert clusters.variance(arm) == pytest.approx(1 / 256 * (4 / 3 + 4))
    assert arm.effective_clusters == pytest.approx(16 / 10)


def test_effective_clusters() -> None:
    """As many as there are if they are of equal size, towards one if one outweighs the rest."""
    assert clusters.from_sums("abcd", [0] * 4, [5] * 4).effective_clusters == 4
    assert clusters.from_sums("abcd", [0] * 4, [1000, 1, 1, 1]).effective_clusters < 1.01


def test_clusters_without_values_are_left_out() -> None:
    """They tell nothing."""
    arm = clusters.from_sums("abc", [1, 0, 2], [2, 0, 2])

    assert arm.labels == ("a", "c")
    assert (arm.mean, arm.n_clusters, arm.n_values) == (0.75, 2, 4)


def test_one_cluster_has_no_variance() -> None:
    """Not 0: unknown."""
    with pytest.raises(ValueError, match="one cluster"):
        clusters.variance(clusters.by_cluster([1, 2], "aa"))


@pytest.mark.parametrize(
    ("labels", "sums", "counts"),
    [("aa", [1, 2], [1, 1]), ("ab", [1], [1, 1]), ("ab", [1, 2], [1]), ("a", [1], [-1])],
)
def test_impossible_sums_are_refused(labels: str, sums: list[float], counts: list[float]) -> None:
    """They are mistakes of the caller."""
    with pytest.raises(ValueError, match=r"differ|negative"):
        clusters.from_sums(labels, sums, counts)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_values_changes_nothing(rows: list[tuple[float, str]], random: Any) -> None:
    """Not even the last bit."""
    shuffled = rows.copy()
    random.shuffle(shuffled)

    one, two = (clusters.by_cluster(*zip(*given, strict=True)) for given in (rows, shuffled))

    assert one.mean == two.mean
    assert one.effective_clusters == two.effective_clusters
    if one.n_clusters > 1:
        assert clusters.variance(one) == clusters.variance(two)


@given(VALUES, VALUES)
def test_swapping_the_arms_changes_only_the_sign(
    rows: list[tuple[float, str]], others: list[tuple[float, str]]
) -> None:
    """Variance and degrees of freedom are those of either direction."""
    one, two = (clusters.by_cluster(*zip(*given, strict=True)) for given in (rows, others))
    if min(one.n_clusters, two.n_clusters) < 2:
        return

    assert clusters.difference_variance(one, two) == clusters.difference_variance(two, one)
    assert clusters.difference_df(one, two) == clusters.difference_df(two, one)
