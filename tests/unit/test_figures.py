"""Differences as figures, against published numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.experiments.figures import Figures, Reach
from assay.stats import ratios
from comparisons import comparison

if TYPE_CHECKING:
    from assay.experiments.comparison import Comparison

CASE = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())[
    "fixed_t"
]
FIGURES = Figures(
    unit="account", cutoff=datetime(2026, 1, 1, tzinfo=UTC), alpha=0.05, is_randomised=True
)


def arm(total: float, squares: float, n: int) -> ratios.Mean:
    """Each unit once."""
    spread = (squares - total**2 / n) / (1 - 1 / n)
    return ratios.mean(units=n, n=n, y=total, n_squares=n, e_squares=spread)


def compared() -> Comparison:
    """The arms of the published case."""
    control, treatment = arm(*CASE["a"]), arm(*CASE["b"])
    return comparison(control, treatment, ratios.difference([control], [treatment], [1.0], [0.0]))


def test_a_published_difference_at_a_single_look() -> None:
    """Welch's t: where each unit comes once, CR2 with effective units is no more than that."""
    found = FIGURES.tested(compared())
    assert found.difference.estimate == pytest.approx(CASE["abs"], abs=5e-6)
    assert found.difference.ci == pytest.approx(tuple(CASE["ci"]), abs=5e-6)
    assert found.p == pytest.approx(CASE["p"], abs=5e-6)


def test_a_published_difference_as_a_share() -> None:
    """By the delta method, with the same degrees of freedom."""
    found = FIGURES.relative(compared(), Reach(mode="fixed", alpha=0.05))
    assert found.estimate == pytest.approx(CASE["rel"], abs=5e-6)
    assert found.ci == pytest.approx(tuple(CASE["rel_ci"]), abs=5e-4)
