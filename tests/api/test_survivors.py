"""A plan about the survivors: what is left out has to be seen beside what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from simulation.design import Design, draw
from simulation.rows import instant, write
from simulation.scenarios import plan

if TYPE_CHECKING:
    from api_server import ApiServer

DESIGN = Design(units=200, failed=0.05, failed_more=0.2)


@pytest.mark.parametrize(("on_failure", "is_told"), [(None, True), (0.0, False)])
def test_that_many_more_runs_fail_is_told_where_they_are_left_out(
    api: ApiServer, *, on_failure: float | None, is_told: bool
) -> None:
    """Those that are left are not alike; where failed runs count it is no fault of the numbers."""
    drawn = draw(DESIGN, 1, np.random.default_rng(5))
    (name,) = write(api.url, DESIGN, plan(DESIGN, on_failure=on_failure), drawn)
    results = api.get(f"experiments/{name}/results", cutoff=instant(60).isoformat())
    (metric,) = results["metrics"]
    (variant,) = metric["variants"]
    failures = variant["failures"]
    low, high = failures["difference"]["ci"]
    assert low < DESIGN.failed_more < high
    assert failures["is_unlikely"]
    told = [one for one in metric["warnings"] if "failed runs, which are left out here" in one]
    assert bool(told) is is_told
