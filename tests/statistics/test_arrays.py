"""The rules on arrays say of each look what the tables say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from assay.model.experiments import Mode
from simulation import arrays
from simulation.design import DAYS, MATURITY, draw
from simulation.measuring import crossing, of
from simulation.pipe import simulate
from simulation.rows import instant
from simulation.scenarios import active, crowded, plan, reweighted, silent, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.design import Design

FIRST = instant(MATURITY + 1)


@pytest.mark.parametrize(
    ("scenario", "units"),
    [(active, 60), (silent, 90), (reweighted, 60), (crowded, 120), (together, 90)],
)
def test_each_look_is_the_same(
    assay_database: str, scenario: Callable[[int], Design], units: int
) -> None:
    """Two implementations that share nothing but the experiments: every number of both modes."""
    design = scenario(units)
    found = simulate(assay_database, design, plan(design), 8, np.random.default_rng(8))
    seen = arrays.series(draw(design, 8, np.random.default_rng(8)))
    for mode, tested in (
        (Mode.PLANNED, arrays.planned(seen)),
        (Mode.ANYTIME, arrays.anytime(seen, planned_units=units)),
    ):
        for number, looks in enumerate(of(found, mode)):
            # Before, no run is mature; after, nothing new comes.
            known = [look for look in looks if FIRST <= look.cutoff <= instant(DAYS + MATURITY)]
            assert [look.tested for look in known] == tested.is_tested[number].tolist()
            for day, look in enumerate(known):
                if look.tested:
                    assert look.estimate == pytest.approx(seen.estimate[number, day], abs=1e-9)
                    assert look.se == pytest.approx(seen.variance[number, day] ** 0.5, rel=1e-9)
                    assert look.df == pytest.approx(seen.df[number, day], rel=1e-9)
                    if mode is Mode.PLANNED:
                        wanted = tested.boundary[number, day]
                        assert look.boundary == pytest.approx(wanted, abs=1e-4)
                    is_beyond = crossing([look]) is not None
                    assert is_beyond == tested.is_beyond[number, day]
