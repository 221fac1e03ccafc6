"""Means and differences from sums over units, against published numbers and the units."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats import clusters, power, ratios

VECTORS = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())
UNITS = st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=2, max_size=20)


def of_users(successes: int, users: int) -> ratios.Mean:
    """Each user once."""
    p = successes / users
    return ratios.mean(
        units=users, n=users, y=successes, n_squares=users, e_squares=users * p * (1 - p)
    )


def test_simpsons_paradox() -> None:
    """Better on both days, worse in the sum of them: days have to be compared by themselves."""
    case = VECTORS["simpson_ramp"]
    days = [(of_users(*c), of_users(*t)) for c, t in zip(case["C"], case["T"], strict=True)]
    users = [c.values + t.values for c, t in days]
    weights = [of_day / sum(users) for of_day in users]
    controls, treatments = zip(*days, strict=True)
    found = ratios.difference(controls, treatments, weights, [0.0, 0.0])

    for (control, treatment), wanted in zip(days, case["strata_diff"], strict=True):
        assert treatment.estimate - control.estimate == pytest.approx(wanted, abs=1e-6)
    assert found.estimate == pytest.approx(case["poststrat_diff"], abs=1e-6)
    assert found.se == pytest.approx(case["poststrat_se"], abs=5e-6)
    pooled = [sum(y for y, _ in case[arm]) / sum(n for _, n in case[arm]) for arm in "CT"]
    assert pooled[1] - pooled[0] == pytest.approx(case["pooled_diff"], abs=1e-6)


@given(UNITS)
def test_sums_over_units_say_what_units_say(units: list[tuple[int, float]]) -> None:
    """The same mean, variance and effective number as from each unit's own sums."""
    counts, sums = [float(n) for n, _ in units], [n * share for n, share in units]
    whole = math.fsum(counts)
    mean = math.fsum(sums) / whole
    found = ratios.mean(
        units=len(units),
        n=whole,
        y=math.fsum(sums),
        n_squares=math.fsum(n * n for n in counts),
        e_squares=math.fsum(
            (y - mean * n) ** 2 / (1 - n / whole) for n, y in zip(counts, sums, strict=True)
        ),
    )
    arm = clusters.from_sums(range(len(units)), sums, counts)
    assert found.estimate == pytest.approx(arm.mean)
    assert found.variance == pytest.approx(clusters.variance(arm))
    assert found.effective == pytest.approx(arm.effective_clusters)


def test_published_number_of_units() -> None:
    """Miller's 969 questions for 3 points at 80 % power."""
    case = VECTORS["power"]["miller_2024"]
    needed = power.units_needed(
        100,
        math.sqrt(case["omega2"] / 100),
        difference=case["delta"],
        alpha=case["alpha"],
        power=case["power"],
    )
    assert math.ceil(needed) == case["n"]


def test_published_power_of_two_proportions() -> None:
    """Cohen's h, whose standard error is that of two means of variance 1."""
    case = VECTORS["power"]["cohen_h"]
    found = power.detectable(math.sqrt(2 / case["n"]), alpha=0.05, power=case["power"])
    assert found == pytest.approx(case["h"], abs=5e-5)
