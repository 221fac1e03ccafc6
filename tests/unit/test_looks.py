"""Looks of the planned mode: what the end does with looks that knew as much."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from assay.experiments.comparison import Comparison
from assay.experiments.looks import Rules, Seen, planned_look
from assay.model.looks import Look, Word
from assay.stats import planned
from assay.stats.ratios import Difference, Mean

START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(alpha=0.05)


def seen(se: float, time: float, *, estimate: float = 0.01) -> Seen:
    """A look of which the error is *se*; the last one at time 1."""
    arm = Mean(estimate=0.5, variance=se**2 / 2, units=100, values=100.0, effective=100.0)
    return Seen(
        cutoff=START + timedelta(days=10 * time),
        comparison=Comparison(
            variant="b",
            control_variant="a",
            weighting="run",
            epochs=(),
            epochs_left_out=(),
            control=arm,
            treatment=arm,
            difference=Difference(estimate=estimate, variance=se**2, df=math.inf),
            reason=None,
        ),
        time=time,
        is_final=time == 1,
    )


def looked(*errors: float) -> list[Look]:
    """Looks with these errors, evenly over the plan's time."""
    history: list[Look] = []
    for place, se in enumerate(errors, start=1):
        history.append(planned_look(history, seen(se, place / len(errors)), RULES))
    return history


def test_a_look_that_knows_no_more_tests_nothing() -> None:
    """Its information grew by under 1 %, so it spends nothing."""
    history = looked(0.05, 0.0499, 0.04)
    assert [look.tested for look in history] == [True, False, True]


@pytest.mark.parametrize("last", [0.0301, 0.0401, 0.06])
def test_the_last_look_stands_for_all_that_knew_no_less(last: float) -> None:
    """Information may fall; then the end spends what those before it had not."""
    history = looked(0.05, 0.04, 0.03, last)
    final = history[-1]
    before = [one for one in (0.05, 0.04, 0.03) if 1.01 / one**2 <= 1 / last**2]
    times = [(place + 1) / 4 for place in range(len(before))]

    assert final.tested
    assert final.word is Word.NOT_SHOWN
    assert final.boundary == pytest.approx(
        planned.boundaries([1 / se**2 for se in [*before, last]], [*times, 1.0], 0.05)[-1]
    )
