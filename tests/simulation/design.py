"""Simulated experiments as arrays: who came when, was served what, and answered what and when.

Times are days since the start. Chance is passed in, and many experiments are drawn at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import betaincinv, gammaincinv, ndtr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DAYS = 28.0
"""Units come, and come back, for so long."""
MATURITY = 7.0
ANSWER_DAYS = 2.0
"""The mean of the exponential time to an answer."""
FAILS_AFTER = 0.01
FRONT_DAYS, FRONT_SHARE = 3.0, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One way in which an experiment may go.

    Attributes:
        units: in all arms together.
        arrivals: of units: evenly, most of them in the first days, all of them on the first day.
        weights: of the variants, the control first.
        effects: by how much each variant's share of good answers is above the control's.
        base: the control's share of good answers.
        icc: the correlation of two runs of one unit.
        runs: after its first, of a unit that is there from the first day on, on average;
            `Poisson(Gamma)`, the Gamma's shape being `shape`. Who comes later has fewer, by the
            days that are left.
        crowded: whether who comes later has as many, in the days that are left.
        activity: the correlation of a unit's activity and quality (of a Gaussian copula).
        answered: of each variant, the share of runs that are answered.
        answered_bad: the same of runs whose answer would be bad, where it differs.
        failed: the share of runs that fail.
        failed_more: by how much it is larger under all variants but the control.
        new_weights: from the day `changed` on.
        changed: the day of the change; infinite for none.
        drift: by how much all shares rise on the day of the change.
        spread: the standard deviation of the effect between units.
        second: the effects on another metric, if there is one.
        per_run: whether each run is assigned by itself.
    """

    units: int
    arrivals: Literal["even", "front", "at once"] = "even"
    weights: Sequence[float] = (0.5, 0.5)
    effects: Sequence[float] = (0.0, 0.0)
    base: float = 0.6
    icc: float = 0.2
    runs: float = 10.0
    crowded: bool = False
    shape: float = 1.0
    activity: float = 0.0
    answered: Sequence[float] = (0.7, 0.7)
    answered_bad: Sequence[float] | None = None
    failed: float = 0.03
    failed_more: float = 0.0
    new_weights: Sequence[float] | None = None
    changed: float = np.inf
    drift: float = 0.0
    spread: float = 0.0
    second: Sequence[float] | None = None
    per_run: bool = False

    @property
    def variants(self) -> list[str]:
        """Their names, the control first."""
        return [f"v{place}" for place in range(len(self.weights))]

    def truth(self, variant: int) -> float:
        """The difference that the experiment is about; failed runs count as bad ones."""
        good = (1 - self.failed - self.failed_more) * (self.base + self.effects[variant])
        return good - (1 - self.failed) * (self.base + self.effects[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Runs of many experiments, one element each.

    Attributes:
        experiment, unit, session, variant, epoch: numbers; no two experiments share a unit.
        at: of the exposure.
        value: of the answer, whether it comes or not.
        answered_at: infinite for silence.
        failed: whether the run fails instead of being answered.
        second: the value of the other metric.
    """

    experiments: int
    experiment: Ints
    unit: Ints
    session: Ints
    variant: Ints
    epoch: Ints
    at: Floats
    value: Floats
    answered_at: Floats
    failed: NDArray[np.bool_]
    second: Floats | None

    def by_run(self) -> Drawn:
        """As those see it who take each run for a unit, whenever it was."""
        return replace(self, unit=np.arange(len(self.unit)), epoch=np.ones_like(self.epoch))

    def counting_unmoved(self) -> Drawn:
        """As those see it who leave out only the runs that were served another variant."""
        first = self._of_first(self.epoch)
        stays = self.variant == self._of_first(self.variant)
        return replace(self, epoch=np.where(stays, first, self.epoch))

    def failures_scored(self) -> Drawn:
        """As those see it who give failed runs a bad score."""
        return replace(
            self,
            value=np.where(self.failed, 0.0, self.value),
            answered_at=np.where(self.failed, self.at + FAILS_AFTER, self.answered_at),
            failed=np.zeros_like(self.failed),
        )

    def _of_first(self, values: Ints) -> Ints:
        order = np.lexsort((self.at, self.unit))
        units, starts = np.unique(self.unit[order], return_index=True)
        return values[order][starts][np.searchsorted(units, self.unit)]


def draw(design: Design, experiments: int, rng: np.random.Generator) -> Drawn:
    """Experiments after a design, each by itself."""
    size = experiments * design.units
    came = _arrivals(design, size, rng)
    came[:: design.units] = rng.random(experiments)  # With the first unit the plan begins.
    activity = rng.normal(size=size)
    days = 1.0 if design.crowded else (DAYS - came) / DAYS
    often = gammaincinv(design.shape, ndtr(activity)) * design.runs / design.shape
    runs = 1 + rng.poisson(often * days)
    unit = np.repeat(np.arange(size), runs)
    is_first = np.r_[True, unit[1:] != unit[:-1]]
    # The first run brings the unit; the others follow it until the end.
    at = came[unit]
    at = np.where(is_first, at, at + (DAYS - at) * rng.random(len(at)))
    changed = at >= design.changed
    variant = _variants(design, unit, is_first, changed, rng)
    share = _shares(design, activity, rng)[variant, unit]
    share += rng.normal(0, design.spread, size)[unit] * (variant > 0) + design.drift * changed
    value = _answers(share, rng)
    answered = np.asarray(design.answered)[variant]
    if design.answered_bad is not None:
        answered = np.where(value > 0, answered, np.asarray(design.answered_bad)[variant])
    failed = rng.random(len(at)) < design.failed + design.failed_more * (variant > 0)
    silent = failed | (rng.random(len(at)) >= answered)
    second = None
    if design.second is not None:
        other = replace(design, effects=design.second)
        second = _answers(_shares(other, activity, rng)[variant, unit], rng)
    return Drawn(
        experiments=experiments,
        experiment=unit // design.units,
        unit=np.arange(len(unit)) if design.per_run else unit,
        session=unit,
        variant=variant,
        epoch=1 + changed.astype(np.int64),
        at=at,
        value=value,
        answered_at=np.where(silent, np.inf, at + rng.exponential(ANSWER_DAYS, len(at))),
        failed=failed,
        second=second,
    )


def _arrivals(design: Design, size: int, rng: np.random.Generator) -> Floats:
    if design.arrivals == "at once":
        return rng.random(size)
    early = rng.random(size) < (FRONT_SHARE if design.arrivals == "front" else 0)
    return np.where(
        early,
        FRONT_DAYS * rng.random(size),
        rng.uniform(FRONT_DAYS if design.arrivals == "front" else 0, DAYS, size),
    )


def _variants(
    design: Design,
    unit: Ints,
    is_first: NDArray[np.bool_],
    changed: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Ints:
    """Of each run: by rendezvous, so that a change of weights moves no more units than it must."""
    drawn = rng.random(len(unit) if design.per_run else int(is_first.sum()))
    of_run = drawn if design.per_run else drawn[unit]
    before = np.searchsorted(np.cumsum(design.weights), of_run)
    if design.new_weights is None:
        return before
    # With two variants one bound between them does what rendezvous hashing does.
    return np.where(changed, np.searchsorted(np.cumsum(design.new_weights), of_run), before)


def _shares(design: Design, activity: Floats, rng: np.random.Generator) -> Floats:
    """Each unit's share of good answers under each variant, shape (variants, units)."""
    own = rng.normal(size=len(activity))
    rank = ndtr(design.activity * activity + math.sqrt(1 - design.activity**2) * own)
    size = 1 / design.icc - 1
    means = [design.base + effect for effect in design.effects]
    return np.stack([betaincinv(mean * size, (1 - mean) * size, rank) for mean in means])


def _answers(share: Floats, rng: np.random.Generator) -> Floats:
    return (rng.random(len(share)) < share).astype(np.float64)
