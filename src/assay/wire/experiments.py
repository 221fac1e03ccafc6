"""Experiments: what was declared and chosen, what looks saw, what may be said."""

from __future__ import annotations

from datetime import datetime

from assay.model.experiments import Direction, MetricKind, Mode, Strategy
from assay.model.looks import GuardrailWord, Word
from assay.model.results import Figure, Results, Stopping, UnitTally
from assay.wire.base import Message, Request

__all__ = [
    "Assignment",
    "AssignmentPage",
    "Choice",
    "Experiment",
    "GuardrailLook",
    "Look",
    "Plan",
    "Results",
    "Stop",
    "Verdict",
]


class Plan(Message):
    """How an experiment is to be judged, as `assay.ExperimentPlan` says it.

    Attributes:
        maturity_s: how long a run's answer is waited for, in seconds.
        on_failure: what a failed run without a score counts as; null leaves such runs out.
    """

    primary: str
    kind: MetricKind
    control: str | None
    direction: Direction
    mode: Mode
    alpha: float
    power: float
    days: float | None
    units: int | None
    mde: float | None
    margin: float | None
    guardrails: dict[str, float]
    maturity_s: float
    unit: str | None
    on_failure: float | None


class Verdict(Message):
    """What stands of a variant; `word` is null without a plan.

    Attributes:
        cutoff, difference: of the look that gave it.
    """

    variant: str
    word: Word | None
    reason: str | None
    is_decided: bool
    cutoff: datetime | None
    difference: Figure | None


class Experiment(Message):
    """An experiment with how variants are chosen now.

    Attributes:
        id: its name.
        epoch, strategy: null before the first choice.
        verdicts: of the newest plan; empty without one, or before the first look.
    """

    id: str
    first_seen: datetime
    epoch: int | None
    strategy: Strategy | None
    variants: list[str]
    plan_version: int | None
    plan: Plan | None
    stopped: Stopping | None
    verdicts: list[Verdict]


class GuardrailLook(Message):
    """What a look saw of a metric that must not get worse.

    Attributes:
        bound: the bad end of its one-sided interval.
    """

    metric: str
    margin: float
    estimate: float | None
    se: float | None
    bound: float | None
    word: GuardrailWord | None
    reason: str | None


class Look(Message):
    """A look as it was taken; it never changes.

    Attributes:
        tested: whether it could end the experiment; if not, `reason` says why.
        information: 1 / variance.
        spending_time: the share of the planned time that had gone.
        boundary: what `z` had to reach, in the planned mode.
        alpha_spent: until this look, in the planned mode.
        log_e: the log of the evidence, in the anytime mode.
        log_e_balance: the log of the evidence that units did not come as the weights say.
    """

    plan_version: int
    mode: Mode
    variant: str
    cutoff: datetime
    looked_at: datetime
    tested: bool
    word: Word | None
    reason: str | None
    difference: Figure
    information: float | None
    spending_time: float | None
    boundary: float | None
    z: float | None
    alpha_spent: float | None
    log_e: float | None
    log_e_balance: float | None
    guardrails: list[GuardrailLook]


class Assignment(Message):
    """A unit and what it was served first.

    Attributes:
        assigned: the variant that it keeps, where choices stick.
        tally: what it adds to that of its variant in the results of `metric`, with which alone it
            is there; null where it was first served before the plan in force and does not count.
    """

    unit: str
    variant: str
    epoch: int
    first_at: datetime
    run_count: int
    assigned: str | None
    tally: UnitTally | None = None


class Choice(Message):
    """An entry of the assignment log: how variants were chosen from an instant on, and by whom.

    Attributes:
        app, version, worker: that declared it; null where that was not kept yet.
    """

    epoch: int
    strategy: Strategy
    variants: list[str]
    weights: dict[str, float] | None
    salt: str
    unit_kind: str
    sticky: bool
    app: str
    version: str | None
    worker: str | None
    author: str | None
    opened_at: datetime


class AssignmentPage(Message):
    """A page of units, with the whole assignment log."""

    data: list[Assignment]
    next: str | None
    log: list[Choice]


class Stop(Request):
    """Stopping an experiment: no look is taken any more.

    Attributes:
        decision: what is done now, such as the variant that stays.
    """

    decision: str
    reason: str
    author: str | None = None
