"""Plans of experiments: what may be declared, and what is made of it."""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import assay
from assay.model.experiments import Direction, MetricKind, Mode

USUAL: dict[str, Any] = {"primary": "user-feedback", "kind": "boolean", "days": 28}


def test_a_plan_is_kept_as_it_was_declared() -> None:
    """Words and durations are parsed once."""
    client = assay.Client("app")
    client.experiment(
        "answer-style",
        plan=assay.ExperimentPlan(
            **USUAL, units=400, mde=0.05, guardrails={"tone": 0.1, "run.failure": -0.02}
        ),
    )
    plan = client.plans["answer-style"]
    assert (plan.kind, plan.direction, plan.mode) == (
        MetricKind.BOOLEAN,
        Direction.HIGHER,
        Mode.PLANNED,
    )
    assert (plan.maturity_s, plan.days, plan.units) == (604_800, 28, 400)
    assert plan.guardrails == {"tone": 0.1, "run.failure": -0.02}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 0.0),
        ({"direction": "lower"}, 1.0),
        ({"kind": "number"}, None),
        ({"on_failure": None}, None),
        ({"kind": "number", "on_failure": -3}, -3.0),
    ],
)
def test_what_a_failed_run_counts_as(given: dict[str, Any], expected: float | None) -> None:
    """The bad end for booleans, unless it is said."""
    assert assay.ExperimentPlan(**(USUAL | given)).checked().on_failure == expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"primary": "run.cost"}, "primary"),
        ({"guardrails": {"run.length": -2}}, "guardrails"),
        ({"guardrails": {"run.failure": 0.02}}, "guardrails"),
        ({"guardrails": {"run.failure": -2}}, "guardrails"),
        ({"primary": " "}, "primary"),
        ({"guardrails": {"it's": 1}}, "guardrails"),
        ({"primary": "run.duration", "direction": "lower"}, "kind"),
        ({"primary": "run.failure", "kind": "number", "direction": "lower"}, "kind"),
        ({"primary": "run.tokens", "kind": "number"}, "direction"),
        ({"kind": "percent"}, "kind"),
        ({"mode": "forever"}, "mode"),
        ({"direction": "up"}, "direction"),
        ({"days": None}, "days"),
        ({"days": 5}, "days"),
        ({"days": True}, "days"),
        ({"days": 10**400}, "days"),
        ({"maturity": timedelta(days=30)}, "days"),
        ({"maturity": 0}, "maturity"),
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1e-300}, "alpha"),
        ({"alpha": 1.0}, "alpha"),
        ({"power": "high"}, "power"),
        ({"power": 0.05}, "power"),
        ({"units": -1}, "units"),
        ({"units": 100.5}, "units"),
        ({"control": " "}, "control"),
        ({"control": "x" * 129}, "control"),
        ({"unit": 5}, "unit"),
        ({"unit": "a\x00"}, "unit"),
        ({"mde": float("nan")}, "mde"),
        ({"margin": 0}, "margin"),
        ({"margin": 1.5}, "margin"),
        ({"guardrails": ["tone"]}, "guardrails"),
        ({"guardrails": {"tone": 0}}, "guardrails"),
        ({"guardrails": {"tone": True}}, "guardrails"),
        ({"on_failure": "0"}, "on_failure"),
        ({"kind": "boolean", "on_failure": 2}, "on_failure"),
    ],
)
def test_what_cannot_be_kept_is_refused_where_it_is_written(
    given: dict[str, Any], field: str
) -> None:
    """With the field that is wrong."""
    with pytest.raises(assay.AssayError) as refused:
        assay.ExperimentPlan(**(USUAL | given))
    assert (refused.value.code, refused.value.field) == ("experiment_plan", field)


def test_numbers_of_numpy_are_numbers() -> None:
    """In plans, weights and units, as Python's own: what is stored is the same."""
    numbers = {"days": 28, "units": 400, "mde": 0.5, "alpha": 0.25, "margin": 0.125, "power": 0.5}
    theirs = {
        name: np.int64(value) if isinstance(value, int) else np.float32(value)
        for name, value in numbers.items()
    }
    guardrails: dict[str, Any] = {"tone": np.float32(0.5)}
    plan = assay.ExperimentPlan(**(USUAL | theirs), guardrails=guardrails).checked()
    assert plan == assay.ExperimentPlan(**(USUAL | numbers), guardrails={"tone": 0.5}).checked()
    assert json.loads(json.dumps(plan.spec))["units"] == 400
    weights: dict[str, Any] = {"a": np.int32(1), "b": np.float64(3), "c": Fraction(1, 2)}
    assert assay.weighted(weights).weights == {"a": 1.0, "b": 3.0, "c": 0.5}
    units: list[Any] = [np.int64(42), 42, np.float32(0.5)]
    assert [assay.bucket(unit).unit for unit in units] == ["42", "42", "0.5"]
    odd: list[Any] = [np.float64("nan"), np.bool_(True), "1", True]
    for weight in odd:
        with pytest.raises(assay.AssayError):
            assay.weighted({"a": weight})


def test_anytime_needs_no_end() -> None:
    """It is looked at for as long as it goes on."""
    assert assay.ExperimentPlan(primary="x", kind="number", mode="anytime").checked().days is None


def test_an_experiment_has_one_plan() -> None:
    """Two would be two truths."""
    client, plan = assay.Client("app"), assay.ExperimentPlan(**USUAL)
    client.experiment("style", plan=plan)
    with pytest.raises(assay.AssayError) as refused:
        client.experiment("style", plan=plan)
    assert refused.value.code == "duplicate_plan"


@pytest.mark.parametrize("id", ["", "a\x00", "x" * 129, "a\nb", ".."])
def test_a_plan_is_of_an_id_that_an_experiment_can_have(id: str) -> None:
    """What no choice could be made for would wait for ever."""
    with pytest.raises(assay.AssayError) as refused:
        assay.Client("app").experiment(id, plan=assay.ExperimentPlan(**USUAL))
    assert refused.value.code == "bad_step_id"


@pytest.mark.parametrize("plan", [None, {"primary": "x"}])
def test_a_plan_is_an_experiment_plan(plan: Any) -> None:
    """Nothing else is taken for one."""
    with pytest.raises(assay.AssayError) as refused:
        assay.Client("app").experiment("style", plan=plan)
    assert (refused.value.code, refused.value.field) == ("experiment_plan", "plan")


def test_days_that_are_too_few_are_told_with_the_maturity() -> None:
    """It is what they have to exceed, and was perhaps never thought of."""
    with pytest.raises(assay.AssayError) as refused:
        assay.ExperimentPlan(**(USUAL | {"days": 7}))
    assert refused.value.hint is not None
    assert "7 days (maturity)" in refused.value.hint
