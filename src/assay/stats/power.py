"""How large a difference can be found, and how many units it takes.

A difference of (z(1 - alpha/2) + z(power)) standard errors is found with that power; standard
errors shrink with the root of the units, and a mode of looking costs a factor on them beside a
single look.
"""

from __future__ import annotations

import math

PLANNED_FACTOR = 1.1
"""28 looks at boundaries in the shape of O'Brien and Fleming: an upper bound."""
ANYTIME_FACTOR = 1.91
"""The t-mixture at its best: radius 3.03 standard errors in place of 1.96, at 80 % power."""


def quantiles(alpha: float, power: float) -> float:
    """z(1 - alpha/2) + z(power)."""
    from scipy.special import ndtri  # noqa: PLC0415 - dear to import, rarely needed

    return float(ndtri(1 - alpha / 2) + ndtri(power))


def detectable(se: float, *, alpha: float, power: float, factor: float = 1.0) -> float:
    """The least difference that is found with this power, from a difference's standard error."""
    return quantiles(alpha, power) * math.sqrt(factor) * se


def units_needed(
    units: float, se: float, *, difference: float, alpha: float, power: float, factor: float = 1.0
) -> float:
    """Units in all with which *difference* is found, from the error that *units* have now."""
    return units * (detectable(se, alpha=alpha, power=power, factor=factor) / difference) ** 2
