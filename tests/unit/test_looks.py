"""Looks of the planned mode: what the end does with looks that knew as much."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from assay.experiments.looks import Rules, Seen, planned_look
from assay.model.looks import Look, Word
from assay.stats import planned
from assay.stats.ratios import Difference, Mean
from comparisons import comparison

START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(alpha=0.05)


def seen(se: float, time: float, *, estimate: float = 0.01) -> Seen:
    """A look of which the error is *se*; the last one at time 1."""
    arm = Mean(estimate=0.5, variance=se**2 / 2, units=100, values=100.0, effective=100.0)
    return Seen(
        cutoff=START + timedelta(days=10 * time),
        comparison=comparison(arm, arm, Difference(estimate=estimate, variance=se**2, df=math.inf)),
        time=time,
        is_final=time == 1,
    )


def looked(*errors: float, until: Rules = RULES) -> list[Look]:
    """Looks with these errors, evenly over the plan's time; other rules hold before the last."""
    history: list[Look] = []
    for place, se in enumerate(errors, start=1):
        rules = RULES if place == len(errors) else until
        history.append(planned_look(history, seen(se, place / len(errors)), rules))
    return history


def test_a_look_that_knows_no_more_tests_nothing() -> None:
    """Its information grew by under 1 %, so it spends nothing."""
    history = looked(0.05, 0.0499, 0.0497, 0.04)
    assert [look.tested for look in history] == [True, False, True, True]


def test_the_last_look_replaces_one_that_knew_as_much() -> None:
    """It spends what that one had spent too, being the same look."""
    final = looked(0.05, 0.04, 0.03, 0.0301)[-1]
    assert final.tested
    assert final.word is Word.NOT_SHOWN
    assert final.boundary == pytest.approx(
        planned.boundaries([1 / se**2 for se in (0.05, 0.04, 0.0301)], [0.25, 0.5, 1.0], 0.05)[-1]
    )


@pytest.mark.parametrize("before", [0.05, 0.025])
@pytest.mark.parametrize(("last", "kept"), [(0.0401, [0.05]), (0.06, [])])
def test_what_looks_have_spent_is_gone_though_information_fell(
    last: float, kept: list[float], before: float
) -> None:
    """Those that knew no less drop out of the walk, not out of the sum, as today's alpha has it."""
    final = looked(0.05, 0.04, 0.03, last, until=RULES.of_alpha(before))[-1]
    times = [0.25] * len(kept)
    walk = [1 / se**2 for se in [*kept, last]]

    assert final.boundary == pytest.approx(
        planned.boundaries(walk, [*times, 1.0], 0.05, since=0.5)[-1]
    )
    assert final.boundary is not None
    assert final.boundary > planned.boundaries(walk, [*times, 1.0], 0.05)[-1]
