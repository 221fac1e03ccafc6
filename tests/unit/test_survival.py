"""Kaplan and Meier's curve beside statsmodels', and its variance between clusters."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from assay.stats.survival import maturity

RANDOM = np.random.default_rng(7)
N = 400
WAITED = np.round(RANDOM.exponential(3, N), 1) + 0.1
FOLLOWED = np.round(RANDOM.uniform(0, 8, N), 1) + 0.1
DURATIONS, HAPPENED = np.minimum(WAITED, FOLLOWED), WAITED <= FOLLOWED


def test_the_curve_is_that_of_statsmodels() -> None:
    """Ties too; the error of values that stand alone is Greenwood's, times that of n - 1 for n."""
    known = SurvfuncRight(DURATIONS, HAPPENED.astype(int))
    shares = dict(zip(known.surv_times, 1 - known.surv_prob, strict=True))
    errors = dict(zip(known.surv_times, known.surv_prob_se, strict=True))
    points = maturity(DURATIONS, HAPPENED, np.arange(N), most=N)
    assert {point.age for point in points} == set(DURATIONS[HAPPENED])
    for point in points:
        assert point.share == pytest.approx(shares[point.age], abs=1e-12)
        if point.share < 1:
            assert point.se == pytest.approx(errors[point.age] * (N / (N - 1)) ** 0.5)
            assert point.ci is not None
            assert point.ci[0] < point.share < point.ci[1]


def test_the_same_twice_in_a_cluster_tells_nothing_more() -> None:
    """Twice the values, the same error; taken one by one they would seem to tell twice as much."""
    once = maturity(DURATIONS, HAPPENED, np.arange(N))
    twice = maturity(np.tile(DURATIONS, 2), np.tile(HAPPENED, 2), np.tile(np.arange(N), 2))
    assert [point.se for point in twice] == pytest.approx([point.se for point in once])


def test_what_can_not_be_known_has_no_interval() -> None:
    """One cluster, nothing that happened, and nothing at all."""
    alone = maturity(DURATIONS, HAPPENED, np.zeros(N, dtype=np.int64))
    assert {point.ci for point in alone} == {None}
    assert maturity(DURATIONS, np.zeros(N, dtype=np.bool_), np.arange(N)) == []
    assert maturity(np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)) == []
