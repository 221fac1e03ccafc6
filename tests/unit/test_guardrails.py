"""Guardrails at looks: one-sided, with boundaries of their own over the looks that tested."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assay.experiments.looks import Guardrail, Rules
from assay.experiments.verdict import guarded
from assay.model.experiments import Mode
from assay.model.looks import GuardrailLook, Look
from assay.stats import anytime, planned
from assay.stats.ratios import Difference, Mean
from comparisons import comparison

START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(alpha=0.05)
G = anytime.tuning(500, RULES.alpha)
SE = 0.02


def guardrail(se: float = SE) -> Guardrail:
    """One of which nothing differs, over 200 units."""
    arm = Mean(estimate=0.5, variance=se**2 / 2, units=100, values=100.0, effective=100.0)
    difference = Difference(estimate=0.0, variance=se**2, df=math.inf)
    return Guardrail(metric="tone", margin=0.05, comparison=comparison(arm, arm, difference))


def look(time: float, *, se: float | None = None, tested: bool = True) -> Look:
    """A look at such a time, which saw the guardrail with an error, if it did."""
    seen = GuardrailLook(metric="tone", margin=0.05, information=None if se is None else se**-2)
    cutoff = START + timedelta(days=10 * time)
    return Look(cutoff=cutoff, tested=tested, time=time, guardrails=(seen,))


def multiplier(history: list[Look], now: Look, *, mode: Mode, se: float = SE) -> float:
    """How many errors the bound is away."""
    found = guarded(guardrail(se), history, now, RULES, mode=mode, g=G)
    assert found.bound is not None
    return -found.bound / se


@pytest.mark.parametrize("mode", Mode)
def test_a_guardrail_is_one_sided_at_the_alpha_of_the_plan(mode: Mode) -> None:
    """So its two-sided interval is at twice that."""
    wanted = (
        planned.boundaries([1.0], [1.0], 2 * RULES.alpha)[-1]
        if mode is Mode.PLANNED
        else anytime.multiplier(2 * RULES.alpha, df=math.inf, units=200, g=G)
    )
    assert multiplier([], look(1.0), mode=mode) == pytest.approx(wanted)


def test_a_look_that_was_not_tested_has_spent_nothing_of_a_guardrail() -> None:
    """Nothing could be called better at it."""
    before = look(0.8, se=0.03)
    tested = multiplier([before], look(1.0), mode=Mode.PLANNED)
    not_tested = multiplier([replace(before, tested=False)], look(1.0), mode=Mode.PLANNED)
    assert not_tested == pytest.approx(multiplier([], look(1.0), mode=Mode.PLANNED))
    assert tested > not_tested


def test_the_last_look_at_a_guardrail_replaces_one_that_knew_as_much() -> None:
    """It spends what that one had spent too."""
    history = [look(0.5, se=0.03), look(0.9, se=SE)]
    assert multiplier(history, look(1.0), mode=Mode.PLANNED) == pytest.approx(
        multiplier(history[:1], look(1.0), mode=Mode.PLANNED)
    )
