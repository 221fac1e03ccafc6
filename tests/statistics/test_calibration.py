"""What verdicts promise, measured from simulated rows to looks as rows: `make statistics`.

Whether experiments cross is compared with arrays, which shows more than shares of so few: those
are measured in test_calibration_on_arrays.py. A limit is broken where a method that just keeps it
would be seen so far beyond it once in a thousand times (binomial). Beside what is measured stands
what a reference implementation gave, which shares no code with this one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assay.experiments.verdict import LOG_ALARM
from assay.model.experiments import Mode
from assay.model.looks import Word
from simulation import arrays
from simulation.design import DAYS, Drawn
from simulation.measuring import (
    anytime_covers,
    covers_at_stopping,
    crossed,
    crossing,
    fixed_covers,
    naive,
    of,
    share,
    shown,
)
from simulation.pipe import draws, simulate
from simulation.rows import BEGUN
from simulation.scenarios import (
    BEYOND,
    NULL,
    POWER,
    even,
    plan,
    silent_if_bad,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.design import Design
    from simulation.pipe import Looks
    from simulation.scenarios import Scenario

pytestmark = pytest.mark.statistics


def of_size(units: int) -> int:
    """How many experiments are drawn: looks at large ones take longer."""
    return 150 if units < 600 else 75


def run(url: str, scenario: Scenario, units: int) -> tuple[Design, list[Looks]]:
    """The looks at experiments of a scenario."""
    design = scenario(units)
    chance = chance_of(scenario, units)
    return design, simulate(url, design, plan(design), of_size(units), chance)


def chance_of(scenario: Scenario, units: int) -> np.random.Generator:
    """Each its own, and always the same."""
    return np.random.default_rng([units, *scenario.__name__.encode()])


def tell(
    record: Callable[[str, object], None], what: str, units: int, found: list[Looks], said: str
) -> None:
    """Have it printed at the end."""
    record("measured", f"{what:<24} {units:>4} units, {len(found):>4} experiments: {said}")


def crossings(found: list[Looks]) -> list[tuple[bool, bool]]:
    """Whether each experiment ever crosses in the planned and in the anytime mode."""
    modes = [of(found, mode) for mode in (Mode.PLANNED, Mode.ANYTIME)]
    return [
        (crossing(planned) is not None, crossing(anytime) is not None)
        for planned, anytime in zip(*modes, strict=True)
    ]


def crossings_on_arrays(scenario: Scenario, units: int) -> list[tuple[bool, bool]]:
    """The same of the same experiments, without tables."""
    found: list[tuple[bool, bool]] = []
    for drawn in draws(scenario(units), of_size(units), chance_of(scenario, units)):
        seen = arrays.series(drawn)
        planned = arrays.planned(seen).crosses.tolist()
        found += zip(
            planned, arrays.anytime(seen, planned_units=units).crosses.tolist(), strict=True
        )
    return found


@pytest.mark.parametrize(("scenario", "units", "reference"), NULL)
def test_where_there_is_no_difference(
    assay_database: str,
    record_property: Callable[[str, object], None],
    scenario: Scenario,
    units: int,
    reference: float,
) -> None:
    """Planned at most 7 % false, anytime at most 5 %; intervals hold the truth as they say."""
    design, found = run(assay_database, scenario, units)
    planned, anytime = crossed(found, Mode.PLANNED), crossed(found, Mode.ANYTIME)
    fixed, stopping = fixed_covers(found, design.truth(1)), covers_at_stopping(found, 0)
    days, always = anytime_covers(found, 0)
    alarms = share(
        any((look.log_e_balance or 0) >= LOG_ALARM for look in one)
        for one in of(found, Mode.ANYTIME)
    )
    tell(
        record_property,
        scenario.__name__,
        units,
        found,
        f"planned {planned} (7, reference {reference}), anytime {anytime} (5); coverage: last"
        f" look {fixed} (93-97), at stopping {stopping} (93), anytime {days} of days, always"
        f" {always} (95); balance alarms {alarms} (0.1)",
    )

    assert planned.is_at_most(0.07)
    assert anytime.is_at_most(0.05)
    assert fixed.is_at_least(0.93)
    assert fixed.is_at_most(0.97)
    assert stopping.is_at_least(0.93)
    assert always.is_at_least(0.95)
    assert crossings(found) == crossings_on_arrays(scenario, units)
    assert alarms.is_at_most(0.001)


@pytest.mark.parametrize(("scenario", "units"), BEYOND)
def test_where_the_planned_mode_is_known_to_say_too_much(
    assay_database: str,
    record_property: Callable[[str, object], None],
    scenario: Scenario,
    units: int,
) -> None:
    """Few units, or most runs of them, come after a change of weights: under 10 % all the same."""
    _, found = run(assay_database, scenario, units)
    planned, anytime = crossed(found, Mode.PLANNED), crossed(found, Mode.ANYTIME)
    fixed, always = fixed_covers(found, 0), anytime_covers(found, 0)[1]
    tell(
        record_property,
        scenario.__name__,
        units,
        found,
        f"planned {planned} (10), anytime {anytime} (5); coverage: last look {fixed} (92-97),"
        f" anytime always {always} (95)",
    )

    assert planned.is_at_most(0.10)
    assert anytime.is_at_most(0.05)
    assert fixed.is_at_least(0.92)
    assert fixed.is_at_most(0.97)
    assert always.is_at_least(0.95)


@pytest.mark.parametrize(("scenario", "units", "reference"), POWER)
def test_where_there_is_a_difference(
    assay_database: str,
    record_property: Callable[[str, object], None],
    scenario: Scenario,
    units: int,
    reference: float,
) -> None:
    """It is found as often as by the reference; intervals hold it as they say."""
    design, found = run(assay_database, scenario, units)
    truth = design.truth(1)
    planned = shown(found, Mode.PLANNED, [Word.BETTER])
    fixed, stopping = fixed_covers(found, truth), covers_at_stopping(found, truth)
    always = anytime_covers(found, truth)[1]
    tell(
        record_property,
        scenario.__name__,
        units,
        found,
        f"planned {planned} (reference {reference}), anytime"
        f" {shown(found, Mode.ANYTIME, [Word.BETTER])}; coverage: last look {fixed} (93-97), at"
        f" stopping {stopping} (93), anytime always {always} (95)",
    )

    assert planned.is_at_least(reference / 100 - 0.05)
    assert fixed.is_at_least(0.93)
    assert fixed.is_at_most(0.97)
    assert stopping.is_at_least(0.93)
    assert always.is_at_least(0.95)


@pytest.mark.parametrize("units", [200, 600])
def test_silence_that_goes_with_the_answer_takes_verdicts_away(
    assay_database: str, record_property: Callable[[str, object], None], units: int
) -> None:
    """Nothing sees through it: what is left is to say so once coverage differs beyond chance."""
    _, found = run(assay_database, silent_if_bad, units)
    planned, said = crossed(found, Mode.PLANNED), shown(found, Mode.PLANNED)
    unequal = share(
        any(look.word is Word.INVALID for look in one) for one in of(found, Mode.PLANNED)
    )
    tell(
        record_property,
        silent_if_bad.__name__,
        units,
        found,
        f"planned crossings {planned}, verdicts {said}, invalid at some look {unequal}",
    )

    assert said.count < planned.count
    assert unequal.is_at_least(0.3)


@pytest.mark.parametrize("units", [40, 60, 200, 600])
def test_what_takes_each_run_for_a_unit_fails_the_same_test(
    assay_database: str, record_property: Callable[[str, object], None], units: int
) -> None:
    """1.96 standard errors over runs, on whichever day, through the same tables."""
    design = even(units)
    chance = np.random.default_rng(units)
    found = simulate(assay_database, design, plan(design), 50, chance, seen_as=Drawn.by_run)
    tell(record_property, "by run, naive", units, found, f"{naive(found)} (has to fail 7)")

    assert not naive(found).is_at_most(0.07)
    assert naive(found).percent > 30


def test_assignment_that_is_not_as_declared_is_found(
    assay_database: str, record_property: Callable[[str, object], None]
) -> None:
    """55 to 45 in place of 50 to 50, after about 1,600 units (reference 1,560)."""
    design = replace(even(3000), runs=0.0)

    def uneven(drawn: Drawn) -> Drawn:
        # Of no weight in what happens: there is no difference between the variants.
        chance = np.random.default_rng(7).random(drawn.unit.max() + 1)
        return replace(drawn, variant=(chance[drawn.unit] < 0.45).astype(np.int64))

    found = simulate(
        assay_database, design, plan(design), 60, np.random.default_rng(6), seen_as=uneven
    )
    come = [
        design.units * (look.cutoff - BEGUN) / timedelta(days=DAYS)
        for one in of(found, Mode.ANYTIME)
        for look in [next((x for x in one if (x.log_e_balance or 0) >= LOG_ALARM), None)]
        if look is not None
    ]
    half = float(np.median(come))
    tell(
        record_property, "55 to 45", 3000, found, f"found in {len(come)}, half by {half:.0f} units"
    )

    assert len(come) >= 0.9 * len(found)
    assert 1200 < half < 2100
