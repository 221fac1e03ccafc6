"""What an experiment's numbers say at a cutoff: the record that API, CLI and pages show.

Its fields are those of the message, so that nothing is said twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assay.model.experiments import Direction, MetricKind, Mode, Strategy
from assay.model.looks import GuardrailWord, Word

Looking = Literal["planned", "anytime", "fixed"]
Counted = Literal[
    "exposed",
    "mature",
    "pending",
    "scored",
    "failed",
    "no_response",
    "late",
    "early",
    "backdated",
    "after_epoch",
    "moved",
    "crossed",
]
"""What runs of a unit are counted as: the counts of `UnitTally`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with what it takes to trust it.

    Attributes:
        estimate: None where there are no values.
        ci: bounds of the interval of level 1 - alpha; None where `reason` says why.
        method: how the interval was made: `wilson_neff`, `cr2_t` or `delta`.
        unit: what varies on its own: what is assigned, or sessions where that is each run.
        n_units: how many of them have values: of a difference, in either variant.
        n_eff: how many independent values would tell as much; of a difference, df + 1.
        mode: over which looks the interval keeps its promise: those of a plan (`planned`), any
            (`anytime`), or one alone (`fixed`).
        data_cutoff: what came later does not count.
    """

    estimate: float | None
    ci: tuple[float, float] | None
    se: float | None
    method: str
    unit: str
    n_units: int
    n_eff: float | None
    mode: Looking
    alpha: float
    data_cutoff: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A difference that there should not be.

    Attributes:
        p: how likely by chance so large a one is, at a single look; None where it can't be told.
        is_unlikely: whether p is under 0.001.
    """

    difference: Figure
    p: float | None
    is_unlikely: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTally:
    """What became of runs; the words are those of `model.moments.Counts`.

    Attributes:
        pending: exposed and not mature: an answer may still come.
        no_response: mature, neither scored nor failed.
    """

    exposed: int
    mature: int
    pending: int
    scored: int
    failed: int
    no_response: int
    late: int
    early: int
    backdated: int
    after_epoch: int
    moved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(RunTally):
    """What became of the runs of a variant.

    Units are what is assigned: where that is each run, they are runs.
    """

    units: int
    units_mature: int
    units_scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTally(RunTally):
    """What became of the runs of a unit: what it adds to the tally of what it was first served.

    Attributes:
        mean: of its scored runs; None without any.
        crossed: runs that count here, served another variant than the unit was first.
    """

    crossed: int
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """A variant by itself. Its intervals are for one look; comparisons keep the promise.

    Attributes:
        mean: each run the same.
        unit_mean: each unit the same.
        coverage: mature runs of which the end is known, scored or failed.
        failures: mature runs that failed without a score.
        runs_per_unit: mature ones.
    """

    variant: str
    is_control: bool
    tally: Tally
    mean: Figure
    unit_mean: Figure
    coverage: Figure
    failures: Figure
    runs_per_unit: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochShare:
    """How much an epoch counts in a comparison; the weights sum to 1."""

    epoch: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailResult:
    """A metric that must not get worse by more than a margin, as it is now.

    Attributes:
        margin: by how much it may fall, or, where it is negative, rise.
        is_share: whether its values are 0 and 1.
        difference: its interval's bad end is the bound of a one-sided test at half of its alpha.
        word: whether it is `held`, `open` or `broken`; None where there is no interval.
    """

    metric: str
    margin: float
    is_share: bool
    difference: Figure
    word: GuardrailWord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The verdict on a variant, which looks gave.

    Attributes:
        word: None without a plan: then nothing is said.
        is_decided: whether it stands for good.
        cutoff: of the look that gave it.
        difference: as that look saw it.
        sentence: all of that in words.
    """

    word: Word | None
    reason: str | None
    is_decided: bool
    cutoff: datetime | None
    difference: Figure | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What could be found now, and how many units it takes to find what was asked for.

    Attributes:
        unit: what is counted: what varies on its own.
        mde: the smallest difference that units until now find with this power.
        difference: the one worth finding, as the plan says.
        units_needed: in the two variants together, for that one.
        units_more: of these, those that are still missing.
        reason: why a number is None.
    """

    unit: str
    alpha: float
    power: float
    mde: float | None
    difference: float | None
    units_needed: int | None
    units_more: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantResult:
    """A variant beside the control.

    Attributes:
        control, treatment: means over the epochs that count here.
        difference: treatment minus control, each run the same.
        by_unit: the difference with each unit the same, failed runs left out.
        weightings_differ: whether it is more than one standard error from *survivors*.
        survivors: the difference without failed runs; another question where failures count.
        relative: the difference as a share of the control's mean.
        coverage: a difference in coverage, which takes the verdict away where it is unlikely.
        runs_per_unit: a difference in activity, which lets weightings differ.
        failures: a difference in the share of runs that failed without a score.
        standing: the verdict; None for metrics that don't decide.
        planning: None for metrics that don't decide.
    """

    variant: str
    control_variant: str
    control: Figure
    treatment: Figure
    difference: Figure
    by_unit: Figure
    weightings_differ: bool
    survivors: Figure
    relative: Figure
    coverage: Tested
    runs_per_unit: Tested
    failures: Tested
    epochs: list[EpochShare]
    epochs_left_out: list[int]
    guardrails: list[GuardrailResult] = field(default_factory=list)
    standing: Standing | None = None
    planning: Planning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric over all variants.

    Attributes:
        role: `primary` decides, a `guardrail` must not get worse, others are `exploratory`.
        is_share: whether its values are 0 and 1, so that differences are percentage points.
        kind, direction: as the plan says; None where none speaks of it.
        on_failure: what failed runs without a score count as; None leaves them out (`survivors`).
        unserved: scores that name a variant which their run was not served: left out.
        beyond: scores that are beyond 1e140, and count as that.
    """

    metric: str
    role: Literal["primary", "guardrail", "exploratory"]
    is_share: bool
    kind: MetricKind | None
    direction: Direction | None
    estimand: Literal["all runs", "survivors"]
    on_failure: float | None
    arms: list[ArmResult]
    variants: list[VariantResult]
    unserved: int
    beyond: int
    warnings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """A version of the plan, and who declared it first.

    Attributes:
        app, app_version, worker: None where that was not kept yet.
    """

    version: int
    declared_at: datetime
    app: str | None
    app_version: str | None
    worker: str | None
    author: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """A way of choosing variants, with the units that came while it was in force.

    Attributes:
        app, version, worker: that declared it; None where that was not kept yet.
        is_randomised: whether chance chose, with probabilities that are known.
        units: first exposed in it, by variant.
        log_e: the log of the evidence that they did not come as the weights say; None where there
            are no weights, or a variant of weight 0 has units, which is proof.
    """

    epoch: int
    strategy: Strategy
    weights: dict[str, float] | None
    sticky: bool
    app: str
    version: str | None
    worker: str | None
    author: str | None
    opened_at: datetime
    is_randomised: bool
    units: dict[str, int]
    log_e: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Whether units came to the variants as the weights say, over all epochs.

    Attributes:
        log_e: the log of the evidence that they did not; None where it has no bound.
        is_broken: whether the evidence is 1,000 or more.
    """

    log_e: float | None
    is_broken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """That an experiment was stopped, and what was decided."""

    at: datetime
    decision: str | None
    reason: str | None
    author: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that an experiment says at a cutoff.

    Attributes:
        maturity_s: how long a run's answer is waited for, in seconds.
        unit: what a unit is, in words.
        mode, alpha: of the plan; without one `anytime`, 0.05.
        plan_version: None without a plan: all numbers are exploratory then.
        plans: all versions, the oldest first; until the cutoff, where one is asked for.
        ends_at: the planned end; None where there is none.
        control: None before anybody was served a variant.
        is_randomised: whether chance chose anywhere; if not, numbers describe and nothing more.
        forced: exposures that were chosen for trying out, left out.
        without_unit: exposures of which the code named no unit, left out.
        after_cutoff: exposures that came since the cutoff.
        other_metrics: of the experiment, which are not shown here.
        warnings: of the experiment; each metric has its own.
    """

    experiment: str
    data_cutoff: datetime
    maturity_s: float
    unit: str
    mode: Mode
    alpha: float
    plan_version: int | None
    declared_at: datetime | None
    plans: list[PlanVersion]
    ends_at: datetime | None
    stopped: Stopping | None
    control: str | None
    variants: list[str]
    is_randomised: bool
    balance: Balance
    forced: int
    without_unit: int
    after_cutoff: int
    epochs: list[EpochResult]
    metrics: list[MetricResult]
    other_metrics: list[str]
    warnings: list[str]
