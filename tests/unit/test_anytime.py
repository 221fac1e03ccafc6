"""The t-mixture, against published numbers and its own promise."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.stats import anytime

VECTORS = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())


def test_published_t_mixture() -> None:
    """The radius to each digit, p-values to the rounding of the printed t, an interval."""
    case = VECTORS["anytime_t"]
    known = {"df": case["nu"], "units": case["n"], "g": case["g_star"]}

    radius = anytime.multiplier(case["alpha"], **known)
    assert radius == pytest.approx(case["t_radius"], abs=5e-6)
    for t, p in case["p"]:
        assert anytime.p_value(anytime.log_e(t, **known)) == pytest.approx(p, rel=2e-3)
    bounds = [case["X1_est"] + side * radius * case["X1_se"] for side in (-1, 1)]
    assert bounds == pytest.approx(case["X1_ci"], abs=2e-5)


@pytest.mark.parametrize("case", VECTORS["anytime_normal"], ids=lambda case: f"{case['n_opt']}")
def test_published_sequential_intervals(case: dict[str, Any]) -> None:
    """With many degrees of freedom it is the asymptotic confidence sequence."""
    g = anytime.tuning(case["n_opt"], 0.05)
    half = case["se"] * anytime.multiplier(0.05, df=math.inf, units=case["n"], g=g)
    assert [case["rel"] - half, case["rel"] + half] == pytest.approx(case["ci"], abs=5e-5)


def test_published_normal_mixture() -> None:
    """Its tuning, evidence and bound, for a sum of 10 at variance 100."""
    case = VECTORS["normal_mixture"]
    g = anytime.tuning(case["v_opt"], case["alpha"])
    assert g == pytest.approx(case["rho"], abs=5e-6)
    evidence = anytime.log_e(1.0, df=math.inf, units=100, g=g)
    assert evidence == pytest.approx(case["log_mixture_s10_v100"], abs=5e-7)
    bound = 10 * anytime.multiplier(case["alpha"], df=math.inf, units=100, g=g)
    assert bound == pytest.approx(case["bound_v100"], abs=2e-5)


@pytest.mark.parametrize("df", [5.0, 30.0, 1e7, math.inf])
def test_the_interval_excludes_what_the_evidence_refuses(df: float) -> None:
    """At the edge of the interval the evidence is 1 / alpha."""
    known = {"df": df, "units": 80.0, "g": anytime.tuning(100, 0.05)}
    edge = anytime.multiplier(0.05, **known)
    assert anytime.p_value(anytime.log_e(edge, **known)) == pytest.approx(0.05, rel=1e-6)


def test_a_walk_of_a_thousand_looks_crosses_as_rarely_as_promised() -> None:
    """Normal steps, a look after each: at most 5 % ever cross, where 1.96 lets half."""
    steps = np.random.default_rng(1).normal(size=(2000, 1000))
    n = np.arange(1, 1001)
    deviates = np.abs(np.cumsum(steps, axis=1) / np.sqrt(n))[:, 9:]
    g = anytime.tuning(500, 0.05)
    bounds = [anytime.multiplier(0.05, df=math.inf, units=float(k), g=g) for k in n[9:]]

    assert np.mean((deviates > bounds).any(axis=1)) < 0.05
    assert np.mean((deviates > 1.96).any(axis=1)) > 0.3
