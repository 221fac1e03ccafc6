"""Tests and intervals that hold at any number of looks: the t-mixture.

Source: Lindon, Ham, Tingley and Bojinov, "Anytime-valid linear models and regression adjusted
causal inference in randomized experiments", arXiv:2210.08589.
"""

from __future__ import annotations

import math


def tuning(units: float, alpha: float) -> float:
    """The mixture's parameter g that is best after so many *units*; fixed before the first look."""
    twice = 2 * math.log(1 / alpha)
    return units / (twice + math.log(1 + twice))


def log_e(t: float, *, df: float, units: float, g: float) -> float:
    """The log of the evidence against no difference, from a t statistic over so many units."""
    r = g / (g + units)
    if math.isinf(df):
        return 0.5 * math.log(r) + 0.5 * (1 - r) * t**2
    gain = math.log1p(t**2 / df) - math.log1p(r * t**2 / df)
    return 0.5 * math.log(r) + 0.5 * (df + 1) * gain


def p_value(log_evidence: float) -> float:
    """min(1, 1/e)."""
    return math.exp(-max(log_evidence, 0.0))


def multiplier(alpha: float, *, df: float, units: float, g: float) -> float:
    """Standard errors on each side of an interval of level 1 - alpha; infinite while too early."""
    r = g / (g + units)
    if math.isinf(df):
        return math.sqrt(math.log(1 / (r * alpha**2)) / (1 - r))
    root = (r * alpha**2) ** (1 / (df + 1))
    return math.sqrt(df * (1 - root) / (root - r)) if root > r else math.inf
