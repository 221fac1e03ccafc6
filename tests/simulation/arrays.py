"""The rules of a verdict on arrays alone: thousands of simulated experiments in a minute.

This shares no code with what it measures, neither SQL nor formulas: tests compare every look of it
with those that the tables give for the same experiments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from simulation.design import DAYS, MATURITY, draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulation.design import Design, Drawn

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

LOOKS = round(DAYS)
"""The first is that at which runs of the first day are mature."""
ALPHA = 0.05
_UNITS_AT_ONCE = 60_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """What there is to see of each experiment at each look, shape (experiments, LOOKS).

    Attributes:
        units: with values, in both arms.
        is_testable: whether both arms have 10 of them, and a variance.
    """

    estimate: Floats
    variance: Floats
    df: Floats
    units: Floats
    is_testable: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tested:
    """What was tested, shape (experiments, LOOKS); boundaries are |z|, or nan."""

    is_tested: Bools
    boundary: Floats
    is_beyond: Bools

    @property
    def crosses(self) -> Bools:
        """Whether each experiment ever does."""
        crosses: Bools = np.logical_or.reduce(self.is_beyond, axis=1)
        return crosses


def series(drawn: Drawn) -> Series:
    """The looks at experiments of two arms; a failed run counts as 0 (rules 1 to 6)."""
    units, first = _units(drawn)
    counts = drawn.epoch == drawn.epoch[first][units]
    scored = (drawn.answered_at - drawn.at <= MATURITY) & ~drawn.failed
    epochs = int(drawn.epoch.max())
    group = (drawn.experiment[first] * epochs + drawn.epoch[first] - 1) * 2 + drawn.variant[first]
    order = np.argsort(group, kind="stable")
    n, y, m, f = (
        _by_day(drawn, units, counts * weight)[order]
        for weight in (scored, scored * drawn.value, np.ones(len(units)), drawn.failed)
    )
    return _combined(n, y, m, f, group[order], (drawn.experiments, epochs, 2))


def planned(seen: Series) -> Tested:
    """The looks of the planned mode (rule 8)."""
    experiments = len(seen.estimate)
    tested = Tested(
        is_tested=np.zeros((experiments, LOOKS), dtype=bool),
        boundary=np.full((experiments, LOOKS), np.nan),
        is_beyond=np.zeros((experiments, LOOKS), dtype=bool),
    )
    walks = _Walks.at_start(experiments)
    with np.errstate(all="ignore"):
        information = 1 / seen.variance
        deviate = -ndtri(stdtr(seen.df, -np.abs(seen.estimate) / np.sqrt(seen.variance)))
    for look in range(LOOKS):
        is_final = look == LOOKS - 1
        grew = information[:, look] >= 1.01 * walks.information[:, -1]
        tests = np.flatnonzero(seen.is_testable[:, look] & (grew | is_final))
        boundary = walks.after(tests, information[tests, look], (look + 1) / LOOKS)
        tested.is_tested[tests, look] = True
        tested.boundary[tests, look] = boundary
        tested.is_beyond[tests, look] = deviate[tests, look] > boundary
    return tested


def anytime(seen: Series, *, planned_units: float) -> Tested:
    """The looks of the anytime mode (rule 9); boundaries are standard errors."""
    twice = 2 * math.log(1 / ALPHA)
    g = planned_units / (twice + math.log(1 + twice))
    with np.errstate(all="ignore"):
        r = g / (g + seen.units)
        root = (r * ALPHA**2) ** (1 / (seen.df + 1))
        reach = np.where(root > r, np.sqrt(seen.df * (1 - root) / (root - r)), np.inf)
        is_beyond = np.abs(seen.estimate) > reach * np.sqrt(seen.variance)
    return Tested(
        is_tested=seen.is_testable,
        boundary=np.where(seen.is_testable, reach, np.nan),
        is_beyond=is_beyond & seen.is_testable,
    )


@dataclass(frozen=True, slots=True)
class Shares:
    """Of so many experiments, in percent: crossed in both modes, held by the last look's interval.

    Attributes:
        fixed: of those with an interval.
        stopping: of those, how many planned ones hold it at the first crossing or the end.
        better: those crossed in the planned mode to the side of the variant.
    """

    experiments: int
    planned: float
    anytime: float
    fixed: float
    stopping: float
    better: float


def measure(design: Design, experiments: int, rng: np.random.Generator) -> Shares:
    """What experiments of a design come to."""
    found: list[Floats] = []
    for left in range(experiments, 0, -(size := max(1, _UNITS_AT_ONCE // design.units))):
        seen = series(draw(design, min(left, size), rng))
        found.append(np.stack(_outcomes(seen, design)))
    outcomes = np.concatenate(found, axis=1)
    return Shares(experiments, *(100 * np.nanmean(outcomes, axis=1)).tolist())


def _outcomes(seen: Series, design: Design) -> tuple[Floats | Bools, ...]:
    looked = planned(seen)
    truth, se = design.truth(1), np.sqrt(seen.variance)
    crosses = looked.crosses
    at_end = np.arange(len(se))
    stop = np.where(crosses, looked.is_beyond.argmax(axis=1), LOOKS - 1)
    with np.errstate(all="ignore"):
        tail = ndtr(-looked.boundary[at_end, stop])
        reach = -stdtrit(seen.df[at_end, stop], tail) * se[at_end, stop]
        error = np.abs(seen.estimate - truth)
        fixed = error[:, -1] <= stdtrit(seen.df[:, -1], 1 - ALPHA / 2) * se[:, -1]
    # Without an interval there is nothing that could hold the truth.
    has_any, at_last = looked.is_tested[at_end, stop], seen.is_testable[:, -1]
    return (
        crosses,
        anytime(seen, planned_units=design.units).crosses,
        np.where(at_last, fixed, np.nan),
        np.where(has_any, error[at_end, stop] <= reach, np.nan),
        crosses & (seen.estimate[at_end, stop] > 0),
    )


def _units(drawn: Drawn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The place of each run's unit, and of each unit's first run."""
    order = np.lexsort((drawn.at, drawn.unit))
    labels, starts = np.unique(drawn.unit[order], return_index=True)
    return np.searchsorted(labels, drawn.unit), order[starts]


def _by_day(drawn: Drawn, units: NDArray[np.int64], weight: Floats) -> Floats:
    """Of each unit, summed over the runs that are mature at each look."""
    day = np.floor(drawn.at).astype(np.int64)  # Mature from the look of this number on.
    known = day < LOOKS
    place = units[known] * LOOKS + day[known]
    size = int(units.max()) + 1
    sums = np.bincount(place, weights=weight[known], minlength=size * LOOKS)
    return np.cumsum(sums.reshape(size, LOOKS), axis=1)


def _combined(
    n: Floats,
    y: Floats,
    m: Floats,
    f: Floats,
    group: NDArray[np.int64],
    shape: tuple[int, int, int],
) -> Series:
    """From units in the order of their groups: experiment, epoch, arm."""

    def total(values: Floats) -> Floats:
        sums = np.zeros((math.prod(shape), LOOKS))
        present, starts = np.unique(group, return_index=True)
        sums[present] = np.add.reduceat(values, starts, axis=0)
        return sums

    with np.errstate(all="ignore"):
        all_n, all_m = total(n), total(m)
        rate, failing = total(y) / all_n, total(f) / all_m
        r, phi = rate[group], failing[group]
        e = np.where(n > 0, (y - r * n) / np.sqrt(1 - n / all_n[group]), 0)
        d = np.where(m > 0, (f - phi * m) / np.sqrt(1 - m / all_m[group]), 0)
        influence = (1 - phi) * e / all_n[group] - r * d / all_m[group]
        mean = ((1 - failing) * rate).reshape(*shape, LOOKS)
        variance = total(influence**2).reshape(*shape, LOOKS)
        effective = (all_n**2 / total(n * n)).reshape(*shape, LOOKS)
        units = total((n > 0).astype(np.float64)).reshape(*shape, LOOKS)
        usable = (units >= 2).all(axis=2, keepdims=True)
        runs = np.where(usable, all_n.reshape(*shape, LOOKS), 0).sum(axis=2, keepdims=True)
        weight = runs / runs.sum(axis=1, keepdims=True)
        parts = np.where(usable, weight**2 * variance, 0)
        whole = parts.sum(axis=(1, 2))
        spread = np.where(parts > 0, parts**2 / (effective - 1), 0).sum(axis=(1, 2))
        each = np.where(usable, weight * mean, 0).sum(axis=1)
        in_arm = np.where(usable, units, 0).sum(axis=1)
        return Series(
            estimate=each[:, 1] - each[:, 0],
            variance=whole,
            df=whole**2 / spread,
            units=in_arm.sum(axis=1),
            is_testable=(in_arm.min(axis=1) >= 10) & (whole > 0),
        )


@dataclass(slots=True, kw_only=True, eq=False)
class _Walks:
    """Where walks may be that have left at no look so far, one after each look tested.

    The newest is the last along axis 1: its information, its spending time, and its mass at points.
    """

    information: Floats
    time: Floats
    points: Floats
    mass: Floats

    @classmethod
    def at_start(cls, experiments: int) -> _Walks:
        mass = np.zeros((experiments, LOOKS + 1, len(_NODES)))
        mass[:, -1, 0] = 1
        return cls(
            information=np.zeros((experiments, LOOKS + 1)),
            time=np.zeros((experiments, LOOKS + 1)),
            points=np.zeros_like(mass),
            mass=mass,
        )

    def after(self, which: NDArray[np.int64], information: Floats, time: float) -> Floats:
        """The boundaries of one more look at some; one that knows no more replaces the last."""
        again = (information < 1.01 * self.information[which, -1]) & (self.time[which, -1] > 0)
        since = np.where(again, self.time[which, -2], self.time[which, -1])
        knew_less = 1.01 * self.information[which] <= information[:, None]
        knew_less[:, -1] &= ~again
        # Looks that knew as much drop out of the walk; what they spent is gone all the same.
        base = LOOKS - knew_less[:, ::-1].argmax(axis=1)
        points, mass = self.points[which, base], self.mass[which, base]
        step = np.sqrt(information - self.information[which, base])[:, None]
        root = np.sqrt(information)
        share = _spent(time) - _spent(since)
        boundary = _boundary(points, mass, step, root, share)
        edge = (boundary * root)[:, None]
        there = _NODES * edge
        kernel = np.exp(-0.5 * ((there[:, :, None] - points[:, None, :]) / step[:, :, None]) ** 2)
        left = (kernel @ mass[:, :, None])[:, :, 0] / step / math.sqrt(2 * math.pi)
        for values, new in (
            (self.information, information),
            (self.time, np.full(len(which), time)),
            (self.points, there),
            (self.mass, left * _WEIGHTS * edge),
        ):
            values[which, :-1] = values[which, 1:]
            values[which, -1] = new
        return boundary


def _boundary(points: Floats, mass: Floats, step: Floats, root: Floats, share: Floats) -> Floats:
    low, high = np.zeros(len(root)), np.full(len(root), 38.0)
    for _ in range(45):
        middle = (low + high) / 2
        edge = (middle * root)[:, None]
        leaves = ((ndtr((points - edge) / step) + ndtr((-edge - points) / step)) * mass).sum(axis=1)
        low, high = np.where(leaves > share, middle, low), np.where(leaves > share, high, middle)
    return np.asarray((low + high) / 2)


def _spent(time: Floats | float) -> Floats:
    with np.errstate(divide="ignore"):
        tails: Floats = 4 * ndtr(ndtri(ALPHA / 4) / np.sqrt(np.asarray(time, float)))
    return np.minimum(ALPHA, tails)
