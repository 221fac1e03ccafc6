"""Boundaries of planned looks, against published numbers and what they spend."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from assay.stats import planned

VECTORS = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())
CASE = VECTORS["lan_demets"]


def even(looks: int) -> list[float]:
    """Looks at even times."""
    return [place / looks for place in range(1, looks + 1)]


@pytest.mark.parametrize("wanted", CASE["obf"], ids=len)
def test_published_boundaries(wanted: list[float]) -> None:
    """Four and five even looks, to the last published digit."""
    found = planned.boundaries(even(len(wanted)), even(len(wanted)), CASE["alpha_two_sided"])
    assert found == pytest.approx(wanted, abs=6e-5)


def test_published_boundaries_of_another_shape() -> None:
    """Pocock's: at times by which as much is spent as his shape spends by even ones."""
    alpha, wanted = CASE["alpha_two_sided"], CASE["pocock_5"]
    shares = [alpha * math.log1p((math.e - 1) * time) for time in even(5)]
    times = [(stats.norm.ppf(alpha / 4) / stats.norm.ppf(share / 4)) ** 2 for share in shares]
    found = planned.boundaries(even(5), times, alpha)
    assert found == pytest.approx(wanted, abs=6e-5)


def test_boundaries_of_28_days() -> None:
    """Each week's end."""
    found = planned.boundaries(even(28), even(28), CASE["alpha_two_sided"])
    assert found[6::7] == pytest.approx(CASE["obf_28_looks_at_7_14_21_28"], abs=1.2e-3)


def test_one_look_is_the_textbook() -> None:
    """All of alpha at once."""
    assert planned.boundaries([7.0], [1.0], 0.05) == pytest.approx([stats.norm.ppf(0.975)])


def test_information_has_no_unit() -> None:
    """Ten times as much at each look changes nothing."""
    times = [0.2, 0.5, 0.6, 1.0]
    found = planned.boundaries([1.0, 2.0, 5.0, 6.0], times, 0.05)
    assert planned.boundaries([10.0, 20.0, 50.0, 60.0], times, 0.05) == pytest.approx(found)


@pytest.mark.parametrize("information", [even(20), [1.02**place for place in range(20)]])
def test_what_is_spent_is_what_crosses(information: list[float]) -> None:
    """Of simulated walks over uneven information, as many have left by each look."""
    times = even(20)
    bounds = planned.boundaries(information, times, 0.05)
    steps = np.diff(information, prepend=0.0)
    walks = np.cumsum(np.random.default_rng(2).normal(0, np.sqrt(steps), (100_000, 20)), axis=1)
    left = np.abs(walks / np.sqrt(information)) > bounds
    for look in (9, 14, 19):
        gone, alpha = left[:, : look + 1].any(axis=1).mean(), planned.spent(times[look], 0.05)
        assert gone == pytest.approx(alpha, abs=3.3 * (alpha / 100_000) ** 0.5)


@pytest.mark.parametrize("df", [3.0, 20.0, 1e6])
def test_a_deviate_and_its_t_have_the_same_tail(df: float) -> None:
    """There and back."""
    for z in (-5.0, -1.0, 0.5, 2.14, 6.0):
        t = planned.t_of(z, df)
        assert stats.t.sf(abs(t), df) == pytest.approx(stats.norm.sf(abs(z)))
        assert planned.z_of(t, df) == pytest.approx(z)
