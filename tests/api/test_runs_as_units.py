"""Experiments that assign each run by itself: what is counted is what its name says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.model.experiments import Mode
from simulation.design import MATURITY, Design, draw
from simulation.rows import instant, write
from simulation.scenarios import plan

if TYPE_CHECKING:
    from api_server import ApiServer

DESIGN = Design(units=24, per_run=True, base=0.5, runs=6.0, failed=0.1)


def test_runs_are_counted_as_runs_and_sessions_as_sessions(api: ApiServer) -> None:
    """A tally counts what was assigned; a figure what varies on its own, once if in both arms."""
    drawn = draw(DESIGN, 1, np.random.default_rng(7))
    (name,) = write(api.url, DESIGN, plan(DESIGN, mode=Mode.ANYTIME, mde=0.05), drawn)
    answered = drawn.answered_at <= drawn.at + MATURITY
    results = api.get(f"experiments/{name}/results", cutoff=instant(60).isoformat())
    metric = results["metrics"][0]
    assert results["unit"] == "run"
    for place, arm in enumerate(metric["arms"]):
        served, tally = drawn.variant == place, arm["tally"]
        assert tally["units"] == tally["units_mature"] == tally["exposed"] == served.sum()
        assert tally["units_scored"] == tally["scored"] == (served & answered).sum()
        sessions = set(drawn.session[served & answered].tolist())
        assert (arm["mean"]["unit"], arm["mean"]["n_units"]) == ("session", len(sessions))
    (variant,) = metric["variants"]
    for figure, counted in (
        (variant["difference"], answered),
        (variant["coverage"]["difference"], np.ones_like(answered)),
    ):
        sessions = set(drawn.session[counted].tolist())
        assert (figure["unit"], figure["n_units"]) == ("session", len(sessions))
    assert "more sessions find" in variant["standing"]["sentence"]


def test_unequal_weights_are_no_change_in_how_much_is_asked(api: ApiServer) -> None:
    """More runs of a session get the variant of the greater weight, which says nothing of it."""
    design = Design(units=300, per_run=True, weights=(0.7, 0.3), runs=6.0)
    (name,) = write(api.url, design, plan(design), draw(design, 1, np.random.default_rng(3)))
    results = api.get(f"experiments/{name}/results", cutoff=instant(60).isoformat())
    (metric,) = results["metrics"]
    (variant,) = metric["variants"]
    tested = variant["runs_per_unit"]
    assert (tested["p"], tested["is_unlikely"]) == (None, False)
    assert tested["difference"]["estimate"] is None
    assert tested["difference"]["reason"].startswith("each run is assigned by itself")
    assert not [warning for warning in metric["warnings"] if "runs per" in warning]
