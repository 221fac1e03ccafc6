"""What is known of an experiment at a cutoff, besides its moments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from assay.model.experiments import Epoch, Plan
    from assay.model.looks import Look
    from assay.model.results import Stopping
    from assay.store.experiments import Declaration, PlanRecord

ALPHA = 0.05
MATURITY = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was declared, chosen and seen until a cutoff.

    Attributes:
        epochs: that had begun, the oldest first.
        plan: in force.
        chosen: epochs that had begun when it is told: with those since the cutoff, unless that
            was asked for. So it is with the two that follow.
        plans: all versions, the oldest first.
        declarations: what each app declared last.
        looks: of that plan in its mode, by variant, the oldest first.
        start: when the first unit that counts was exposed; None before.
        metrics: all scores that count for the experiment, then what runs say of themselves.
        after_cutoff: exposures that came since.
    """

    experiment: str
    cutoff: datetime
    epochs: Sequence[Epoch]
    plan: PlanRecord | None
    chosen: Sequence[Epoch] = ()
    plans: Sequence[PlanRecord] = ()
    declarations: Sequence[Declaration] = ()
    looks: Mapping[str, Sequence[Look]] = field(default_factory=dict)
    start: datetime | None = None
    metrics: Sequence[str] = ()
    after_cutoff: int = 0
    stopped: Stopping | None = None

    @property
    def maturity(self) -> timedelta:
        """How long a run's answer is waited for."""
        return MATURITY if self.plan is None else timedelta(seconds=self.plan.plan.maturity_s)

    @property
    def alpha(self) -> float:
        """False positives that are accepted, over all looks and variants."""
        return ALPHA if self.plan is None else self.plan.plan.alpha

    @property
    def plan_spec(self) -> Plan | None:
        """What the plan says."""
        return None if self.plan is None else self.plan.plan

    @property
    def is_plan_late(self) -> bool:
        """Whether somebody was served before the plan was made, and is left out."""
        plan = self.plan
        return plan is not None and (
            plan.version > 1 or any(one.opened_at < plan.declared_at for one in self.epochs)
        )

    @property
    def is_by_run(self) -> bool:
        """Whether runs were assigned by themselves, where chance chose."""
        chosen = [one for one in self.epochs if one.is_randomised] or self.epochs
        return any(one.unit_kind == "run" for one in chosen)

    @property
    def unit(self) -> str:
        """What a unit is, in words."""
        named = None if self.plan is None else self.plan.plan.unit
        return named or ("run" if self.is_by_run else "unit")

    @property
    def varying(self) -> str:
        """What varies on its own, in words."""
        return varying(self.plan_spec, is_by_run=self.is_by_run)


def varying(plan: Plan | None, *, is_by_run: bool) -> str:
    """What varies on its own, in words: units; or sessions, where runs are assigned by themselves.

    Runs of a session vary together; one without a session is its own.
    """
    if is_by_run:
        return "session"
    return (None if plan is None else plan.unit) or "unit"
