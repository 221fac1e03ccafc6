"""Records of experiments as the messages of `wire.experiments`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from assay.experiments.facts import varying
from assay.experiments.figures import Figures

if TYPE_CHECKING:
    from assay.api.answers import Answer
    from assay.experiments.tallies import Tallied
    from assay.experiments.verdict import Verdict
    from assay.model.experiments import Epoch, Mode
    from assay.model.looks import Look
    from assay.model.results import Results
    from assay.store.experiments import ExperimentRecord, UnitRecord
    from assay.store.looks import LookRecord


def results(found: Results) -> Answer:
    """All that an experiment says."""
    return cast("Answer", asdict(found))


def experiment(one: ExperimentRecord, verdicts: dict[str, Verdict]) -> dict[str, Answer]:
    """An experiment with the verdicts on its variants."""
    return {
        "id": one.name,
        "first_seen": one.first_seen,
        "epoch": one.epoch,
        "strategy": one.strategy,
        "variants": [*one.variants],
        "plan_version": one.plan_version,
        "plan": None if one.plan is None else cast("Answer", one.plan.spec),
        "stopped": None
        if one.stopped_at is None
        else {
            "at": one.stopped_at,
            "decision": one.decision,
            "reason": one.stop_reason,
            "author": one.stopped_by,
        },
        "verdicts": [
            {
                "variant": variant,
                "word": verdict.word,
                "reason": verdict.reason,
                "is_decided": verdict.is_decided,
                "cutoff": None if verdict.look is None else verdict.look.cutoff,
                "difference": _stood(one, verdict),
            }
            for variant, verdict in verdicts.items()
        ],
    }


def _stood(one: ExperimentRecord, verdict: Verdict) -> Answer:
    if verdict.look is None or one.plan is None:
        return None
    unit = varying(one.plan, is_by_run=one.is_by_run)
    return _looked(verdict.look, one.plan.mode, unit=unit, alpha=one.plan.alpha)


def _looked(seen: Look, mode: Mode, *, unit: str, alpha: float) -> Answer:
    figures = Figures(unit=unit, cutoff=seen.cutoff, alpha=alpha, is_randomised=True)
    return cast("Answer", asdict(figures.looked(seen, mode.value)))


def look(one: LookRecord, *, unit: str, alpha: float) -> Answer:
    """A look as it was taken."""
    seen = one.look
    return {
        "plan_version": one.plan_version,
        "mode": one.mode,
        "variant": one.variant,
        "cutoff": seen.cutoff,
        "looked_at": one.looked_at,
        "tested": seen.tested,
        "word": seen.word,
        "reason": seen.reason,
        "difference": _looked(seen, one.mode, unit=unit, alpha=alpha),
        "information": seen.information,
        "spending_time": seen.time,
        "boundary": seen.boundary,
        "z": seen.deviate,
        "alpha_spent": seen.spent,
        "log_e": seen.log_e,
        "log_e_balance": seen.log_e_balance,
        "guardrails": [
            {
                "metric": guardrail.metric,
                "margin": guardrail.margin,
                "estimate": guardrail.estimate,
                "se": guardrail.se,
                "bound": _finite(guardrail.bound),
                "word": guardrail.word,
                "reason": guardrail.reason,
            }
            for guardrail in seen.guardrails
        ],
    }


def assignment(one: UnitRecord) -> dict[str, Answer]:
    """A unit with its variant."""
    return {
        "unit": one.unit,
        "variant": one.variant,
        "epoch": one.epoch,
        "first_at": one.first_at,
        "run_count": one.runs,
        "assigned": one.assigned,
    }


def tallied(one: Tallied) -> Answer:
    """A unit with its variant, and with what it adds to results."""
    return assignment(one.unit) | {"tally": None if one.tally is None else asdict(one.tally)}


def choice(one: Epoch) -> Answer:
    """An entry of the assignment log."""
    return {
        "epoch": one.number,
        "strategy": one.strategy,
        "variants": [*one.variants],
        "weights": None if one.weights is None else dict(one.weights),
        "salt": one.salt,
        "unit_kind": one.unit_kind,
        "sticky": one.sticky,
        "app": one.app,
        "version": one.version,
        "worker": one.worker,
        "author": one.author,
        "opened_at": one.opened_at,
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
