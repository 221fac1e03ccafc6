"""What verdicts promise, measured as closely as arrays allow: `make statistics`.

Every look of these arrays is what the tables give (test_arrays.py). Chance moves a share of 5 % by
0.4 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from simulation import arrays
from simulation.measuring import Share
from simulation.scenarios import BEYOND, NULL, POWER

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.scenarios import Scenario

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.statistics

EXPERIMENTS = 3000


def measured(scenario: Scenario, units: int, record: Record, said: str) -> arrays.Shares:
    """What a scenario comes to; printed at the end."""
    chance = np.random.default_rng([units, *scenario.__name__.encode()])
    found = arrays.measure(scenario(units), EXPERIMENTS, chance)
    record(
        "measured",
        f"arrays: {scenario.__name__:<16} {units:>4} units, {EXPERIMENTS} experiments: planned"
        f" {found.planned:.1f} % ({said}), anytime {found.anytime:.1f} %, better planned"
        f" {found.better:.1f} %; coverage: last look {found.fixed:.1f} %, at stopping"
        f" {found.stopping:.1f} %",
    )
    return found


def share(percent: float) -> Share:
    """As a count."""
    return Share(round(percent * EXPERIMENTS / 100), EXPERIMENTS)


@pytest.mark.parametrize(("scenario", "units", "reference"), NULL)
def test_where_there_is_no_difference(
    record_property: Record, scenario: Scenario, units: int, reference: float
) -> None:
    """Planned at most 7 %, anytime at most 5; fixed intervals hold as often as they say."""
    found = measured(scenario, units, record_property, f"7, reference {reference}")
    assert share(found.planned).is_at_most(0.07)
    assert share(found.anytime).is_at_most(0.05)
    assert share(found.stopping).is_at_least(0.93)
    assert share(found.fixed).is_at_least(0.93)
    assert share(found.fixed).is_at_most(0.97)


@pytest.mark.parametrize(("scenario", "units"), BEYOND)
def test_where_the_planned_mode_is_known_to_say_too_much(
    record_property: Record, scenario: Scenario, units: int
) -> None:
    """Few units, or most runs of them, come after a change of weights."""
    found = measured(scenario, units, record_property, "10")
    assert share(found.planned).is_at_most(0.10)
    assert share(found.anytime).is_at_most(0.05)
    assert share(found.fixed).is_at_least(0.92)


@pytest.mark.parametrize(("scenario", "units", "reference"), POWER)
def test_where_there_is_a_difference(
    record_property: Record, scenario: Scenario, units: int, reference: float
) -> None:
    """Found as often as by the reference, within 3 points; intervals hold the truth."""
    found = measured(scenario, units, record_property, f"reference {reference}")
    assert found.better == pytest.approx(reference, abs=3)
    assert share(found.stopping).is_at_least(0.93)
    assert share(found.fixed).is_at_least(0.93)
    assert share(found.fixed).is_at_most(0.97)
