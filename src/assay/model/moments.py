"""What the analysis of an experiment reads from the database: sums over units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

RUN_FAILURE = "run.failure"
"""Needs no score: 1 for a mature run that failed in time, 0 for any other."""
RUN_DURATION = "run.duration"
"""Needs no score: seconds from the start of a run that completed or failed to its end, its waits
included."""
RUN_TOKENS = "run.tokens"
"""Needs no score: input and output tokens that the spans of such a run say it used."""
RUN_METRICS = (RUN_FAILURE, RUN_DURATION, RUN_TOKENS)
"""What runs say of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Which runs of an experiment count at a cutoff.

    Attributes:
        cutoff: what came later does not.
        maturity: how long a run's answer is waited for.
        since: units first exposed before it belong to an earlier plan.
        sticky: whether all runs of a unit count, whatever the epoch, since choices stick.
    """

    project: int
    experiment: str
    cutoff: datetime
    maturity: timedelta
    since: datetime
    sticky: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the runs that an arm was given in an epoch.

    Attributes:
        exposed: runs, those of units first exposed in this epoch and while it was in force.
        mature: of them those exposed longer ago than answers are waited for.
        scored: mature ones with a score in time.
        failed: mature ones without, that failed in time.
        late: runs with a score that came too late to count.
        early: runs with a score from before their exposure.
        backdated: scored runs whose score was recorded after the window, with a time inside it.
        after_epoch: runs of these units that came when their epoch was over, and are left out.
        moved: of these, those that were served another variant.
        crossed: runs that count here, served another variant than their unit was first.
        units: first exposed here, mature or not.
        units_mature: of them those with a mature run. Where each run is a unit, mature runs.
        units_scored: those with a scored one. Where each run is a unit, scored runs.
    """

    exposed: int = 0
    mature: int = 0
    scored: int = 0
    failed: int = 0
    late: int = 0
    early: int = 0
    backdated: int = 0
    after_epoch: int = 0
    moved: int = 0
    crossed: int = 0
    units: int = 0
    units_mature: int = 0
    units_scored: int = 0

    @property
    def immature(self) -> int:
        """Exposed runs whose answer may still come."""
        return self.exposed - self.mature

    @property
    def no_response(self) -> int:
        """Mature runs that neither have a score nor failed."""
        return self.mature - self.scored - self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMoments:
    """What a unit adds to the arm of what it was first served, for one metric at one cutoff.

    Attributes:
        mean: of its scored runs; None without any.
    """

    counts: Counts
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A mean as a ratio of sums over units, with what its error needs.

    Where each run is a unit, the sums are over sessions, in which runs vary together.

    With Y_g and N_g the sums of unit g, R = ΣY/ΣN and e_g = (Y_g - R N_g) / sqrt(1 - N_g/ΣN):

    Attributes:
        units: those with N_g > 0.
        n: ΣN.
        y: ΣY.
        n_squares: ΣN².
        e_squares: Σe²; infinite for a single unit.
    """

    units: int
    n: float
    y: float
    n_squares: float
    e_squares: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What the bounds need that take silent runs for bad or good ones.

    With b the residuals of ΣY over mature runs, d those of failed and c those of runs of which the
    end is known: sums of their products over units.
    """

    bb: float
    bd: float
    bc: float
    dc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmMoments:
    """One variant in one epoch, for one metric at one cutoff.

    Attributes:
        by_run: of scored runs.
        by_unit: of scored units, each with the mean of its runs.
        coverage: of runs of which the end is known, scored or failed, among mature ones.
        failures: of failed runs among mature ones.
        joint: Σ e d, e of `by_run` and d of `failures`, over units.
        silence: of runs without an answer.
    """

    epoch: int
    variant: str
    counts: Counts
    by_run: Ratio
    by_unit: Ratio
    coverage: Ratio
    failures: Ratio
    joint: float
    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Sessions with runs in two arms of an epoch: their residuals in both, multiplied.

    Attributes:
        products: by the letters of both residuals, this variant's first. `e` is the residual of
            scored runs, `u` of scored units, `d` of failed, `c` of known and `b` of good runs
            among mature ones.
        scored: sessions with scored runs in both arms.
        mature: those with mature runs in both.
    """

    epoch: int
    variant: str
    other: str
    products: Mapping[str, float]
    scored: int = 0
    mature: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """All arms of an experiment.

    Attributes:
        shared: of each ordered pair of arms that have sessions in common.
        first_at: when the first unit that counts was exposed; None before.
        forced: exposures that were chosen for trying out.
        without_unit: exposures of which the code named no unit.
        after_cutoff: exposures that came since the cutoff.
        is_binary: whether there are values, all of them 0 or 1.
    """

    arms: Sequence[ArmMoments]
    forced: int
    without_unit: int
    first_at: datetime | None = None
    after_cutoff: int = 0
    is_binary: bool = False
    shared: Sequence[Shared] = ()
