"""Boundaries for looks at planned days: Lan-DeMets spending in the shape of O'Brien and Fleming.

Sources: Lan and DeMets 1983 (spending); Armitage, McPherson and Rowe 1969 (the recursion).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_LEAST_DF = 0.01
"""Below it the numerical inversion of t's distribution goes wrong."""
_NODES = 400
_FARTHEST = 38.0
"""No normal deviate is farther out: its tail is the least number there is."""


def spent(time: float, alpha: float) -> float:
    """The share of *alpha* that may be spent until *time*, 0 at the start and 1 at the end.

    4 (1 - Φ(z / sqrt(time))) with z the upper quantile of alpha / 4, two-sided.
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - dear to import, rarely needed

    if time <= 0:
        return 0.0
    return float(min(alpha, 4 * ndtr(ndtri(alpha / 4) / math.sqrt(min(time, 1.0)))))


def boundaries(
    information: Sequence[float],
    times: Sequence[float],
    alpha: float,
    *,
    since: float | None = None,
    gone: float = 0.0,
) -> list[float]:
    """The |z| at which each of the tested looks ends the experiment.

    *information* is 1 / variance at each look, rising; *times* are their spending times: what is
    left of *alpha* is spent at 1. What looks between the last two spent, which are left out, is
    gone too: *since* is the time of the last of them. So is what was spent before at a larger
    alpha: *gone*, in all.
    """
    found: list[float] = []
    walk: _Walk | None = None
    last = len(times) - 1
    for place, (now, time) in enumerate(zip(information, times, strict=True)):
        until = since if place == last and since is not None else times[place - 1] if place else 0.0
        before = spent(until, alpha)
        if place == last:
            before = max(before, gone)
        walk = _after(walk, now, max(0.0, spent(time, alpha) - before))
        found.append(walk.boundary)
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Walk:
    """Where a walk may be that has left at no look so far: *mass* at *points*, z root(information).

    Attributes:
        boundary: of the last look.
        information: at that look.
    """

    boundary: float
    information: float
    points: NDArray[np.float64]
    mass: NDArray[np.float64]


@lru_cache(maxsize=1024)
def _after(before: _Walk | None, information: float, alpha: float) -> _Walk:
    """The walk after one more look, at which it leaves with probability *alpha*.

    Each day's looks begin with those of the day before.
    """
    import numpy as np  # noqa: PLC0415 - dear to import, rarely needed

    if before is None:
        before = _Walk(boundary=0.0, information=0.0, points=np.zeros(1), mass=np.ones(1))
    step, root = math.sqrt(information - before.information), math.sqrt(information)
    boundary = _boundary(before.points, before.mass, step=step, root=root, alpha=alpha)
    nodes, weights = _nodes()
    edge = boundary * root
    points = nodes * edge
    kernel = np.exp(-0.5 * ((points[:, None] - before.points[None, :]) / step) ** 2)
    mass = (kernel @ before.mass) / (step * math.sqrt(2 * math.pi)) * weights * edge
    return _Walk(boundary=boundary, information=information, points=points, mass=mass)


@cache
def _nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of Gauss and Legendre, on -1 to 1, with their weights."""
    import numpy as np  # noqa: PLC0415 - dear to import, rarely needed

    return np.polynomial.legendre.leggauss(_NODES)


def _boundary(
    points: NDArray[np.float64],
    mass: NDArray[np.float64],
    *,
    step: float,
    root: float,
    alpha: float,
) -> float:
    """Where the walk leaves with probability alpha, for the first time at this look."""
    import numpy as np  # noqa: PLC0415 - dear to import, rarely needed
    from scipy.special import ndtr  # noqa: PLC0415 - dear to import, rarely needed

    low, high = 0.0, _FARTHEST
    while high - low > 1e-13 * max(1.0, high):
        middle = (low + high) / 2
        edge = middle * root
        leaves = np.asarray(ndtr((points - edge) / step) + ndtr((-edge - points) / step))
        if float(leaves @ mass) > alpha:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def z_of(t: float, df: float) -> float:
    """The normal deviate with the same tail as Student's t."""
    from scipy.special import ndtri, stdtr  # noqa: PLC0415 - dear to import, rarely needed

    if math.isinf(df):
        return t
    return math.copysign(float(-ndtri(float(stdtr(df, -abs(t))))), t)


def t_of(z: float, df: float) -> float:
    """Student's t with the same tail as a normal deviate: what a boundary is in standard errors.

    Infinite under `_LEAST_DF`.
    """
    from scipy.special import ndtr, stdtrit  # noqa: PLC0415 - dear to import, rarely needed

    if math.isinf(df):
        return z
    if df < _LEAST_DF:
        return math.copysign(math.inf, z)
    return math.copysign(float(-stdtrit(df, float(ndtr(-abs(z))))), z)
