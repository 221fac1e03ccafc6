"""The promises of an experiment's verdict in small: from simulated rows to looks as rows.

`make statistics` runs the whole. Seeds are fixed, and each limit is one that a method in common use
fails, which is shown beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from assay.model.experiments import Mode
from simulation.design import Drawn
from simulation.measuring import (
    anytime_covers,
    covers_at_stopping,
    crossed,
    fixed_covers,
    is_unbiased,
    naive,
)
from simulation.pipe import as_it_is, estimates, simulate
from simulation.scenarios import active, plan, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.design import Design
    from simulation.pipe import Seen


@pytest.mark.parametrize("scenario", [active, together])
def test_daily_looks_keep_their_promises(
    assay_database: str, scenario: Callable[[int], Design]
) -> None:
    """False positives of both modes, and the coverage of each kind of interval."""
    design = scenario(60)
    found = simulate(assay_database, design, plan(design), 100, np.random.default_rng(1))

    assert crossed(found, Mode.PLANNED).is_at_most(0.07)
    assert crossed(found, Mode.ANYTIME).is_at_most(0.05)
    assert fixed_covers(found, 0).is_at_least(0.93)
    assert covers_at_stopping(found, 0).is_at_least(0.93)
    assert anytime_covers(found, 0)[1].is_at_least(0.95)


def test_taking_each_run_for_a_unit_breaks_them(assay_database: str) -> None:
    """The same rows, pipe and limit, but 1.96 standard errors over runs, whichever day."""
    design = active(60)
    found = simulate(
        assay_database, design, plan(design), 60, np.random.default_rng(1), seen_as=Drawn.by_run
    )

    assert naive(found).percent > 30
    assert not naive(found).is_at_most(0.07)


@pytest.mark.parametrize(
    ("seen_as", "holds"),
    [(as_it_is, True), (Drawn.counting_unmoved, False), (Drawn.failures_scored, False)],
    ids=["as it is", "only moved runs left out", "failed runs given a score"],
)
def test_nothing_that_goes_on_beside_the_variants_moves_the_estimate(
    assay_database: str, seen_as: Seen, *, holds: bool
) -> None:
    """New weights as answers get better, more silence in one arm, failures: no difference at all.

    Two rules that seem natural, applied to the same rows, show one.
    """
    design = together(300)
    found = estimates(
        assay_database, design, plan(design), 100, np.random.default_rng(2), seen_as=seen_as
    )
    assert is_unbiased(found, 0) is holds
