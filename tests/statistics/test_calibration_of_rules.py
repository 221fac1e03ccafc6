"""Several variants, guardrails, equivalence, runs assigned by themselves: `make statistics`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assay.model.experiments import Mode
from assay.model.looks import Word
from assay.model.moments import RUN_FAILURE
from simulation.design import Design
from simulation.measuring import covers_at_stopping, crossed, fixed_covers, shown
from simulation.pipe import simulate
from simulation.rows import SECOND
from simulation.scenarios import MIDDLE, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.statistics

EXPERIMENTS = 150
MARGIN = 0.1


def tell(record: Record, what: str, said: str) -> None:
    """Have it printed at the end."""
    record("measured", f"{what:<36} {EXPERIMENTS:>4} experiments: {said}")


@pytest.mark.parametrize(
    ("units", "effects"),
    [
        (60, (0.0, 0.0, 0.0)),
        (200, (0.0, 0.0, 0.0)),
        (200, (0.0, 0.0, 0.0, 0.0)),
        (300, (0.0, 0.25, 0.0)),
    ],
)
def test_several_variants_share_alpha(
    assay_database: str, record_property: Record, units: int, effects: Sequence[float]
) -> None:
    """Any false positive at all, also after a variant that is truly better has freed its share."""
    arms = len(effects)
    design = Design(units=units, weights=[1 / arms] * arms, effects=effects, answered=[0.7] * arms)
    found = simulate(
        assay_database, design, plan(design), EXPERIMENTS, np.random.default_rng([units, arms])
    )
    same = [name for name, effect in zip(design.variants, effects, strict=True) if not effect][1:]
    planned, anytime = crossed(found, Mode.PLANNED, same), crossed(found, Mode.ANYTIME, same)
    tell(
        record_property,
        f"effects {effects}, {units} units",
        f"any false planned {planned} (7), anytime {anytime} (5)",
    )

    assert planned.is_at_most(0.07)
    assert anytime.is_at_most(0.05)


@pytest.mark.parametrize(("units", "changed"), [(200, MIDDLE), (600, 3.0)])
def test_a_variant_that_comes_later_shares_alpha_from_then_on(
    assay_database: str, record_property: Record, units: int, changed: float
) -> None:
    """Any false positive at all, of the one that had all of alpha until then or of the new one."""
    design = Design(
        units=units,
        weights=(0.5, 0.5, 0.0),
        new_weights=(1 / 3, 1 / 3, 1 / 3),
        changed=changed,
        effects=(0.0, 0.0, 0.0),
        answered=(0.7, 0.7, 0.7),
    )
    found = simulate(
        assay_database, design, plan(design), EXPERIMENTS, np.random.default_rng([units, 6])
    )
    planned, anytime = (crossed(found, mode, design.variants[1:]) for mode in Mode)
    tell(
        record_property,
        f"a third variant on day {changed:.0f}, {units} units",
        f"any false planned {planned} (7), anytime {anytime} (5)",
    )

    assert {len({look.g for look in looks}) for one in found for looks in one.values()} == {1}
    assert planned.is_at_most(0.07)
    assert anytime.is_at_most(0.05)


@pytest.mark.parametrize("metric", [SECOND, RUN_FAILURE])
def test_a_guardrail_lets_little_harm_through(
    assay_database: str, record_property: Record, metric: str
) -> None:
    """The variant is much better, and on the guardrail worse by just the margin."""
    harmed = Design(units=200, effects=(0.0, 0.3), base=0.5)
    if metric == SECOND:
        design, margin = replace(harmed, second=(0.0, -MARGIN)), MARGIN
    else:
        design, margin = replace(harmed, failed_more=0.05), -0.05
    found = simulate(
        assay_database,
        design,
        plan(design, guardrails={metric: margin}),
        EXPERIMENTS,
        np.random.default_rng(3),
    )
    planned = shown(found, Mode.PLANNED, [Word.BETTER])
    anytime = shown(found, Mode.ANYTIME, [Word.BETTER])
    tell(
        record_property,
        f"harm at the margin of {metric}",
        f"better planned {planned} (7), anytime {anytime} (5), of {crossed(found, Mode.PLANNED)}"
        " that crossed",
    )

    assert planned.is_at_most(0.07)
    assert anytime.is_at_most(0.05)
    assert crossed(found, Mode.PLANNED).is_at_least(0.9)


@pytest.mark.parametrize(("units", "truth"), [(200, MARGIN), (600, MARGIN), (600, 0.0)])
def test_equivalence_is_said_of_what_is_equivalent(
    assay_database: str, record_property: Record, units: int, truth: float
) -> None:
    """Hardly ever at the edge of the margin, mostly where there is no difference."""
    design = Design(units=units)
    design = replace(design, effects=(0.0, truth / (1 - design.failed)))
    found = simulate(
        assay_database,
        design,
        plan(design, margin=MARGIN),
        EXPERIMENTS,
        np.random.default_rng(4),
    )
    planned = shown(found, Mode.PLANNED, [Word.EQUIVALENT])
    anytime = shown(found, Mode.ANYTIME, [Word.EQUIVALENT])
    tell(
        record_property,
        f"difference {truth}, margin {MARGIN}, {units} units",
        f"equivalent planned {planned}, anytime {anytime}",
    )

    if truth:
        assert planned.is_at_most(0.05)
        assert anytime.is_at_most(0.05)
    else:
        assert planned.is_at_least(0.5)


@pytest.mark.parametrize(
    ("sessions", "runs", "spread"), [(40, 8.0, 0.0), (80, 8.0, 0.1), (80, 38.0, 0.2)]
)
def test_runs_that_are_assigned_by_themselves(
    assay_database: str, record_property: Record, sessions: int, runs: float, spread: float
) -> None:
    """Runs of a session share its quality, and how much the variant helps it."""
    design = Design(units=sessions, per_run=True, base=0.5, runs=runs, spread=spread)
    mean = 1 + runs / 2  # They come evenly.
    found = simulate(
        assay_database,
        design,
        plan(design, units=round(sessions * mean)),
        EXPERIMENTS,
        np.random.default_rng(5),
    )
    planned, anytime = crossed(found, Mode.PLANNED), crossed(found, Mode.ANYTIME)
    fixed, stopping = fixed_covers(found, 0), covers_at_stopping(found, 0)
    tell(
        record_property,
        f"by run, {sessions} sessions of {mean:.0f}, sd {spread}",
        f"planned {planned} (7), anytime {anytime} (5); coverage: last look {fixed} (93-97), at"
        f" stopping {stopping} (93)",
    )

    assert planned.is_at_most(0.07)
    assert anytime.is_at_most(0.05)
    assert fixed.is_at_least(0.93)
    assert stopping.is_at_least(0.93)
