"""Means and differences as figures: with an interval, what it promises, and why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from assay.experiments.verdict import COVERAGE_ALPHA, comparison_p
from assay.model.results import Figure, Tested
from assay.stats import anytime, intervals, planned

if TYPE_CHECKING:
    from datetime import datetime

    from assay.experiments.comparison import Comparison
    from assay.model.looks import Look
    from assay.model.results import Looking
    from assay.stats.ratios import Mean

TOO_EARLY = "too early: an interval that holds at every look has no bounds yet"
_NOT_RANDOM = "variants were not chosen by chance with known probabilities"
_RELATIVE_SES = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far intervals reach, in standard errors.

    Attributes:
        alpha: one minus the level.
        g: of the anytime mode.
        boundary: of the planned mode: the normal deviate that a look would end at.
    """

    mode: Looking
    alpha: float
    g: float = 0.0
    boundary: float = math.inf

    def multiplier(self, *, df: float, units: int) -> float:
        """Standard errors on each side; infinite where nothing can be said."""
        if self.mode == "fixed":
            return intervals.t_critical(self.alpha, df)
        if self.mode == "planned":
            return planned.t_of(self.boundary, df) if math.isfinite(self.boundary) else math.inf
        return anytime.multiplier(self.alpha, df=df, units=units, g=self.g)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Makes the figures of one reading.

    Attributes:
        unit: what varies on its own, in words.
        is_randomised: whether differences have an interval at all.
    """

    unit: str
    cutoff: datetime
    alpha: float
    is_randomised: bool

    def mean(self, mean: Mean | None, *, is_share: bool) -> Figure:
        """The mean of an arm, as of a single look; shares with Wilson's interval."""
        method = "wilson_neff" if is_share else "cr2_t"
        if mean is None:
            return self._bare(method, 0, "there are no values yet")
        bare = replace(self._bare(method, mean.units), estimate=mean.estimate)
        if mean.units == 1:
            return replace(bare, reason=f"one {self.unit} tells nothing of the others")
        se = math.sqrt(mean.variance)
        if is_share:
            p = min(1.0, max(0.0, mean.estimate))
            n_eff, ci = intervals.wilson_neff(
                p,
                mean.variance,
                n_values=mean.values,
                effective=mean.effective,
                alpha=self.alpha,
            )
            return replace(bare, estimate=p, se=se, n_eff=n_eff, ci=ci)
        if mean.variance == 0:
            return replace(bare, se=se, reason=f"all {self.unit}s agree")
        return _reaching(replace(bare, se=se, n_eff=mean.effective), self._fixed(), df=mean.df)

    def difference(self, comparison: Comparison, reach: Reach | None = None) -> Figure:
        """Treatment minus control; at a single look unless *reach* says more."""
        reach = reach or self._fixed()
        found = comparison.difference
        if found is None:
            reason = comparison.reason or "no epoch has values in both variants"
            return self._bare("cr2_t", comparison.units, reason, reach)
        bare = replace(
            self._bare("cr2_t", comparison.units, comparison.reason, reach),
            estimate=found.estimate,
            se=found.se,
            n_eff=found.df + 1 if math.isfinite(found.df) else None,
        )
        if not self.is_randomised:
            return replace(bare, reason=_NOT_RANDOM)
        return bare if comparison.reason is not None else _reaching(bare, reach, df=found.df)

    def relative(self, comparison: Comparison, reach: Reach) -> Figure:
        """The difference as a share of the control's mean, by the delta method."""
        control, treatment, found = comparison.control, comparison.treatment, comparison.difference
        bare = self._bare("delta", comparison.units, comparison.reason, reach)
        if control is None or treatment is None or found is None:
            return replace(bare, reason=comparison.reason or "there is no difference yet")
        base = control.estimate
        if abs(base) <= _RELATIVE_SES * math.sqrt(control.variance) or base == 0:
            reason = "the control's mean is within 3 standard errors of 0"
            return replace(bare, reason=reason)
        # Divided before they are squared, since the square of a large mean may be no number.
        parts = (
            math.sqrt(treatment.variance) / base,
            math.sqrt(control.variance) / base * (treatment.estimate / base),
        )
        bare = replace(
            bare,
            estimate=found.estimate / base,
            se=math.hypot(*parts),
            n_eff=found.df + 1 if math.isfinite(found.df) else None,
        )
        if not self.is_randomised:
            return replace(bare, reason=_NOT_RANDOM)
        return bare if comparison.reason is not None else _reaching(bare, reach, df=found.df)

    def tested(self, comparison: Comparison, *, untold: str | None = None) -> Tested:
        """A difference that there should not be, at a single look; *untold* says why it is none."""
        if untold is not None:
            bare = self._bare("cr2_t", comparison.units, untold)
            return Tested(difference=bare, p=None, is_unlikely=False)
        p = comparison_p(comparison) if self.is_randomised else None
        return Tested(
            difference=self.difference(comparison),
            p=p,
            is_unlikely=p is not None and p < COVERAGE_ALPHA,
        )

    def looked(self, look: Look, mode: Literal["planned", "anytime"]) -> Figure:
        """The difference as a look saw it."""
        ci = look.ci if look.ci is not None and all(map(math.isfinite, look.ci)) else None
        reason = None if ci is not None else look.reason or TOO_EARLY
        return Figure(
            estimate=look.estimate,
            ci=ci,
            se=look.se,
            method="cr2_t",
            unit=self.unit,
            n_units=look.n_units,
            n_eff=look.df + 1 if look.df is not None and math.isfinite(look.df) else None,
            mode=mode,
            alpha=self.alpha if look.alpha is None else look.alpha,
            data_cutoff=look.cutoff,
            reason=reason,
        )

    def _fixed(self) -> Reach:
        return Reach(mode="fixed", alpha=self.alpha)

    def _bare(
        self, method: str, units: int, reason: str | None = None, reach: Reach | None = None
    ) -> Figure:
        reach = reach or self._fixed()
        return Figure(
            estimate=None,
            ci=None,
            se=None,
            method=method,
            unit=self.unit,
            n_units=units,
            n_eff=None,
            mode=reach.mode,
            alpha=reach.alpha,
            data_cutoff=self.cutoff,
            reason=reason,
        )


def _reaching(bare: Figure, reach: Reach, *, df: float) -> Figure:
    """A figure with its symmetric interval."""
    assert bare.estimate is not None
    assert bare.se is not None
    half = reach.multiplier(df=df, units=bare.n_units) * bare.se
    if not math.isfinite(half):
        return replace(bare, reason=TOO_EARLY)
    return replace(bare, ci=(bare.estimate - half, bare.estimate + half))
