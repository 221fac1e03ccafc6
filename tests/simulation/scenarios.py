"""The ways in which experiments go that the promises are measured in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from assay.model.experiments import MetricKind, Plan
from simulation.design import DAYS, MATURITY, Design
from simulation.rows import PRIMARY

if TYPE_CHECKING:
    from collections.abc import Callable

Scenario: TypeAlias = "Callable[[int], Design]"
MIDDLE = DAYS / 2


def plan(design: Design, **changes: object) -> Plan:
    """28 daily looks, from the first day after which answers are in."""
    named: dict[str, object] = {
        "primary": PRIMARY,
        "kind": MetricKind.BOOLEAN,
        "days": DAYS + MATURITY,
        "units": design.units,
        "maturity_s": MATURITY * 86400,
        "on_failure": 0.0,
    }
    # Of many types in one dict: a wrong one fails the test that passes it.
    return Plan(**(named | changes))  # type: ignore[arg-type]


def even(units: int) -> Design:
    """Units come evenly."""
    return Design(units=units)


def front(units: int) -> Design:
    """80 % of the units come in the first 3 days."""
    return Design(units=units, arrivals="front")


def active(units: int) -> Design:
    """How often a unit comes goes with how good its answers are."""
    return Design(units=units, arrivals="front", activity=0.7)


def reweighted(units: int) -> Design:
    """From 50 to 80 % half-way, when everybody's answers get better too."""
    return Design(units=units, new_weights=(0.2, 0.8), changed=MIDDLE, drift=0.15)


def crowded(units: int) -> Design:
    """The same, and units that come late have as many runs as others, in the days left."""
    return replace(reweighted(units), runs=4.0, crowded=True)


def silent(units: int) -> Design:
    """30 % of the control's runs are answered, 20 % of the variant's; 5 % of the runs fail."""
    return Design(units=units, answered=(0.3, 0.2), failed=0.05)


def silent_if_bad(units: int) -> Design:
    """The variant's users are silent where its answer is bad: no method can see through that."""
    return Design(units=units, answered_bad=(0.7, 0.4))


def thin(units: int) -> Design:
    """A change so late that an arm has hardly any unit after it, with better answers too."""
    return Design(units=units, new_weights=(0.05, 0.95), changed=26.5, drift=0.15)


def together(units: int) -> Design:
    """Most come early, silence differs, runs fail, weights change as answers get better."""
    return Design(
        units=units,
        arrivals="front",
        answered=(0.3, 0.2),
        failed=0.05,
        new_weights=(0.2, 0.8),
        changed=MIDDLE,
        drift=0.15,
    )


def better(units: int) -> Design:
    """The variant's share of good answers is 12 points above the control's."""
    return Design(units=units, effects=(0.0, 0.12))


def better_at_once(units: int) -> Design:
    """The same, and all units are there from the first day on."""
    return Design(units=units, effects=(0.0, 0.12), arrivals="at once")


NULL: list[tuple[Scenario, int, float]] = [
    (even, 40, 5.8),
    (even, 60, 5.2),
    (even, 200, 5.5),
    (even, 600, 4.9),
    (front, 60, 5.9),
    (front, 200, 5.8),
    (front, 600, 4.7),
    (active, 60, 5.5),
    (reweighted, 200, 6.7),
    (reweighted, 600, 5.2),
    (silent, 200, 5.5),
    (silent, 600, 6.1),
    (thin, 200, 4.5),
    (together, 60, 5.7),
    (together, 200, 5.2),
    (together, 600, 5.5),
]
"""No difference; with the share in percent that a reference called one in the planned mode."""
BEYOND: list[tuple[Scenario, int]] = [(reweighted, 60), (crowded, 200), (crowded, 600)]
"""Here the planned mode is known to come to more than 7 %: docs/experiments.md says how much."""
POWER: list[tuple[Scenario, int, float]] = [
    (better, 60, 21),
    (better, 200, 53),
    (better, 600, 95),
    (better_at_once, 200, 70),
]
"""A difference; with the share that the reference found."""
