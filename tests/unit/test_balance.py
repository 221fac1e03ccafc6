"""Whether units come as the weights say, against scipy and what it promises."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from assay.stats import balance

VECTORS = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())
ALARM = math.log(balance.ALARM)


@pytest.mark.parametrize(
    ("counts", "weights"), [([600, 400], [1, 1]), ([3, 0, 9], [0.2, 0.3, 0.5]), ([0, 0], [1, 4])]
)
def test_it_is_the_likelihood_of_a_mixture(counts: list[int], weights: list[float]) -> None:
    """Dirichlet-multinomial over multinomial, as scipy has them."""
    share = np.array(weights) / sum(weights)
    mixture = stats.dirichlet_multinomial(balance.CONCENTRATION * share, [sum(counts)])
    found = mixture.logpmf(counts) - stats.multinomial(sum(counts), share).logpmf(counts)
    assert balance.log_e(counts, weights) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("case", VECTORS["srm"], ids=lambda case: f"{case['obs']}")
def test_published_counts(case: dict[str, Any]) -> None:
    """An alarm where chi-squared is beyond doubt; none at 1 in 100 or 1,000.

    The third is as unlikely as 1 in 500,000 by chi-squared and just under the alarm: 0.4 % off
    among 1.6 million is what looking at any time costs.
    """
    assert (balance.log_e(case["obs"], case["w"]) >= ALARM) is (case["p"] < 1e-8)


def test_an_arm_without_weight_gets_nobody() -> None:
    """One unit there is all the evidence there can be."""
    assert balance.log_e([5, 1], [1, 0]) == math.inf
    assert balance.log_e([5, 0], [1, 0]) == pytest.approx(0)


@pytest.mark.parametrize(("share", "low", "high"), [(0.5, 0.0, 0.01), (0.55, 0.4, 0.65)])
def test_looking_all_the_time_alarms_rarely_and_finds_55_to_45(
    share: float, low: float, high: float
) -> None:
    """Half of the time within 1,600 units; almost never where there is nothing to find."""
    came = np.random.default_rng(3).random((300, 1600)) < share
    counts = np.cumsum(came, axis=1)[:, 19::20]
    alarmed = [
        any(
            balance.log_e([int(count), 20 * look - int(count)], [1, 1]) >= ALARM
            for look, count in enumerate(one, start=1)
        )
        for one in counts
    ]
    assert low <= np.mean(alarmed) <= high
