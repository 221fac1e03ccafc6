"""A variant beside the control: the difference of their means over the usable epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeGuard

from assay.stats import ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assay.model.moments import ArmMoments, Moments, Ratio, Shared

_MeanOf: TypeAlias = "Callable[[ArmMoments], ratios.Mean | None]"
_PartsOf: TypeAlias = "Callable[[ArmMoments], Mapping[str, float]]"
_SizeOf: TypeAlias = "Callable[[ArmMoments], float]"
Weighting = Literal["run", "unit", "coverage", "failures", "activity", "bound"]
_OF_MATURE: frozenset[Weighting] = frozenset({"coverage", "failures", "activity", "bound"})
"""What has a value for each mature run, scored or not."""

MIN_UNITS = 10
"""Under so many units in an arm no interval keeps its promise, so none is given."""
FEW_EFFECTIVE = 15.0
"""Under so many effective units in an arm the interval is a little too narrow: a warning."""
_MIN_UNITS_AN_EPOCH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochComparison:
    """Both arms in one epoch; `weight` is its share of the whole."""

    epoch: int
    weight: float
    control: ratios.Mean
    treatment: ratios.Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A variant beside the control, for one weighting.

    Attributes:
        epochs_left_out: epochs in which an arm has under 2 units with values.
        control: the control's mean over the epochs that count; None where none does.
        treatment: the variant's.
        difference: treatment minus control; None where no epoch counts.
        in_both: sessions with values in both arms, where runs are assigned by themselves.
        reason: why there is no interval, in one sentence; None where there is one.
    """

    variant: str
    control_variant: str
    weighting: Weighting
    epochs: tuple[EpochComparison, ...]
    epochs_left_out: tuple[int, ...]
    control: ratios.Mean | None
    treatment: ratios.Mean | None
    difference: ratios.Difference | None
    reason: str | None
    in_both: int = 0

    @property
    def units(self) -> int:
        """Units (or sessions) with values in either arm, each once in an epoch."""
        arms = (self.control, self.treatment)
        return sum(arm.units for arm in arms if arm is not None) - self.in_both

    @property
    def is_thin(self) -> bool:
        """Whether an arm has few effective units."""
        arms = (self.control, self.treatment)
        return any(arm is not None and arm.effective < FEW_EFFECTIVE for arm in arms)


def compare(
    moments: Moments,
    *,
    variant: str,
    control: str,
    weighting: Weighting,
    on_failure: float | None = None,
) -> Comparison:
    """Compare a variant with the control, epoch by epoch.

    Args:
        moments: of one metric at one cutoff.
        variant: the treatment.
        control: what it is compared with.
        weighting: each run the same, each unit the same; or the coverage, runs of which the end
            is known among mature ones; or the failures, failed runs among mature ones; or the
            activity, mature runs of a unit.
        on_failure: what a failed run without a score counts as; None leaves such runs out. Only
            where runs weigh the same.
    """
    measure, size = _of(weighting, on_failure)
    return _compare(
        moments,
        variant=variant,
        control=control,
        weighting=weighting,
        measures=(measure, measure),
        size=size,
    )


def arm(
    moments: Moments, variant: str, *, weighting: Weighting, on_failure: float | None = None
) -> ratios.Mean | None:
    """A variant by itself, over the epochs in which it has values; None where it has none.

    Epochs weigh as in comparisons, by the runs of all arms.
    """
    measure, size = _of(weighting, on_failure)
    found = [
        (one.epoch, value)
        for one in moments.arms
        if one.variant == variant and (value := measure.mean(one)) is not None
    ]
    known = [(epoch, value) for epoch, value in found if _is_usable(value)] or found[:1]
    if not known:
        return None
    weights = _weights(moments.arms, [epoch for epoch, _ in known], size)
    return ratios.stratified([value for _, value in known], weights)


def bound(
    moments: Moments,
    *,
    variant: str,
    control: str,
    silent: tuple[float, float],
    on_failure: float | None = None,
) -> Comparison:
    """The comparison were silent runs known: each counts as *silent* says for (control, variant).

    With the worst of both, no answer that might still come can turn what it shows.
    """
    return _compare(
        moments,
        variant=variant,
        control=control,
        weighting="bound",
        measures=(_supposing(silent[0], on_failure), _supposing(silent[1], on_failure)),
        size=lambda arm: arm.failures.n,
    )


def _compare(
    moments: Moments,
    *,
    variant: str,
    control: str,
    weighting: Weighting,
    measures: tuple[_Measure, _Measure],
    size: _SizeOf,
) -> Comparison:
    arms = {(arm.epoch, arm.variant): arm for arm in moments.arms}
    usable: list[tuple[int, ratios.Mean, ratios.Mean]] = []
    left_out: list[int] = []
    for epoch in sorted({arm.epoch for arm in moments.arms}):
        pair = [arms.get((epoch, name)) for name in (control, variant)]
        first, second = (
            None if arm is None else measure.mean(arm)
            for arm, measure in zip(pair, measures, strict=True)
        )
        if _is_usable(first) and _is_usable(second):
            usable.append((epoch, first, second))
        else:
            left_out.append(epoch)
    weights = _weights(moments.arms, [epoch for epoch, _, _ in usable], size)
    controls, treatments = [c for _, c, _ in usable], [t for _, _, t in usable]
    pairs = [(arms[epoch, control], arms[epoch, variant]) for epoch, _, _ in usable]
    covariances = [_covariance(moments.shared, pair, measures) for pair in pairs]
    found = ratios.difference(controls, treatments, weights, covariances) if usable else None
    return Comparison(
        variant=variant,
        control_variant=control,
        weighting=weighting,
        epochs=tuple(
            EpochComparison(epoch=epoch, weight=w, control=c, treatment=t)
            for (epoch, c, t), w in zip(usable, weights, strict=True)
        ),
        epochs_left_out=tuple(left_out),
        control=ratios.stratified(controls, weights) if usable else None,
        treatment=ratios.stratified(treatments, weights) if usable else None,
        difference=found,
        reason=_reason(controls, treatments, found),
        in_both=_in_both(
            moments.shared, [epoch for epoch, _, _ in usable], weighting, control, variant
        ),
    )


@dataclass(frozen=True, slots=True)
class _Measure:
    """How an arm is summed up: its mean, and of which residuals the error of that is made."""

    mean: _MeanOf
    parts: _PartsOf


def _covariance(
    shared: Sequence[Shared],
    pair: tuple[ArmMoments, ArmMoments],
    measures: tuple[_Measure, _Measure],
) -> float:
    """Of the means of two arms, by the clusters that have units in both."""
    control, treatment = pair
    names = (control.epoch, control.variant, treatment.variant)
    first, second = (one.parts(arm) for one, arm in zip(measures, pair, strict=True))
    return math.fsum(
        a * b * one.products[x + y]
        for one in shared
        if (one.epoch, one.variant, one.other) == names
        for x, a in first.items()
        for y, b in second.items()
    )


def _in_both(
    shared: Sequence[Shared],
    epochs: Sequence[int],
    weighting: Weighting,
    control: str,
    variant: str,
) -> int:
    """Sessions with values in both arms of these epochs."""
    return sum(
        one.mature if weighting in _OF_MATURE else one.scored
        for one in shared
        if one.epoch in epochs and (one.variant, one.other) == (control, variant)
    )


def _is_usable(mean: ratios.Mean | None) -> TypeGuard[ratios.Mean]:
    return mean is not None and mean.units >= _MIN_UNITS_AN_EPOCH


def _reason(
    controls: Sequence[ratios.Mean],
    treatments: Sequence[ratios.Mean],
    difference: ratios.Difference | None,
) -> str | None:
    if min(sum(arm.units for arm in arms) for arms in (controls, treatments)) < MIN_UNITS:
        return f"under {MIN_UNITS} units with values in an arm"
    if difference is None or difference.variance == 0:
        return "no unit differs from another, so their variation is not known"
    return None


def _weights(
    arms: Sequence[ArmMoments], epochs: Sequence[int], size: Callable[[ArmMoments], float]
) -> list[float]:
    of_epoch: dict[int, list[float]] = {}
    for arm in arms:
        of_epoch.setdefault(arm.epoch, []).append(size(arm))
    sizes = [math.fsum(of_epoch[epoch]) for epoch in epochs]
    whole = math.fsum(sizes)
    return [one / whole for one in sizes]


def _of(weighting: Weighting, on_failure: float | None) -> tuple[_Measure, _SizeOf]:
    """How an arm is summed up, and what an epoch weighs by it."""
    if weighting == "unit":
        return _measure(lambda arm: arm.by_unit, "u"), lambda arm: arm.by_unit.n
    if weighting == "coverage":
        return _measure(lambda arm: arm.coverage, "c"), lambda arm: arm.coverage.n
    if weighting == "failures":
        return _measure(lambda arm: arm.failures, "d"), lambda arm: arm.failures.n
    if weighting == "activity":
        return _Measure(_activity, lambda _: {}), lambda arm: arm.coverage.units
    return (
        _Measure(
            lambda arm: _with_failures(arm, on_failure),
            lambda arm: _parts_with_failures(arm, on_failure),
        ),
        lambda arm: arm.by_run.n,
    )


def _measure(of: Callable[[ArmMoments], Ratio], residual: str) -> _Measure:
    return _Measure(lambda arm: _mean(of(arm)), lambda arm: {residual: 1 / of(arm).n})


def _mean(ratio: Ratio) -> ratios.Mean | None:
    if ratio.n == 0:
        return None
    return ratios.mean(
        units=ratio.units,
        n=ratio.n,
        y=ratio.y,
        n_squares=ratio.n_squares,
        e_squares=ratio.e_squares,
    )


def _activity(arm: ArmMoments) -> ratios.Mean | None:
    """Mature runs of a unit, each unit the same."""
    runs, units = arm.coverage, arm.coverage.units
    if units == 0:
        return None
    spread = max(0.0, runs.n_squares - runs.n**2 / units)
    return ratios.mean(
        units=units,
        n=units,
        y=runs.n,
        n_squares=units,
        e_squares=spread / (1 - 1 / units) if units > 1 else math.inf,
    )


def _with_failures(arm: ArmMoments, on_failure: float | None) -> ratios.Mean | None:
    scored = _mean(arm.by_run)
    if scored is None or on_failure is None:
        return scored
    return ratios.with_failures(
        scored,
        mature=arm.failures.n,
        failed=arm.failures.y,
        e_squares=arm.by_run.e_squares,
        d_squares=arm.failures.e_squares,
        joint=arm.joint,
        value=on_failure,
    )


def _parts_with_failures(arm: ArmMoments, on_failure: float | None) -> Mapping[str, float]:
    if on_failure is None:
        return {"e": 1 / arm.by_run.n}
    share, mean = arm.failures.y / arm.failures.n, arm.by_run.y / arm.by_run.n
    return {"e": (1 - share) / arm.by_run.n, "d": (on_failure - mean) / arm.failures.n}


def _supposing(silent: float, on_failure: float | None) -> _Measure:
    return _Measure(
        lambda arm: _imputed(arm, silent=silent, on_failure=on_failure),
        lambda arm: _imputed_parts(arm, silent=silent, on_failure=on_failure),
    )


def _imputed(arm: ArmMoments, *, silent: float, on_failure: float | None) -> ratios.Mean | None:
    if arm.failures.n == 0:
        return None
    failed = silent if on_failure is None else on_failure
    mature, known = arm.failures.n, arm.coverage.y
    sums, coverage, failures = arm.silence, arm.coverage.e_squares, arm.failures.e_squares
    return ratios.imputed(
        units=arm.failures.units,
        mature=mature,
        mature_squares=arm.failures.n_squares,
        total=arm.by_run.y + failed * arm.failures.y + silent * (mature - known),
        variance=sums.bb
        + failed**2 * failures
        + silent**2 * coverage
        + 2 * (failed * sums.bd - silent * sums.bc - failed * silent * sums.dc),
    )


def _imputed_parts(
    arm: ArmMoments, *, silent: float, on_failure: float | None
) -> Mapping[str, float]:
    failed = silent if on_failure is None else on_failure
    mature = arm.failures.n
    return {"b": 1 / mature, "d": failed / mature, "c": -silent / mature}
