"""Experiments over HTTP: scores that are not what the plan says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from assay.model.experiments import Direction
from published_experiment import CASE, LAST, NAME, load, plan, take

if TYPE_CHECKING:
    from api_server import ApiServer

RESULTS = f"experiments/{NAME}/results"


def scored(api: ApiServer, given: str, *, changes: dict[str, object]) -> None:
    """The published case with other values, and all its looks."""
    load(api.url, plan(**changes))
    with psycopg.connect(api.url) as connection:
        connection.execute(f"UPDATE assay.experiment_scores SET value = {given}".encode())
    take(api.url, LAST + timedelta(hours=1))


def test_stars_under_a_plan_that_says_boolean_are_read_as_numbers(api: ApiServer) -> None:
    """No mean is cut off at 1, and results say so."""
    scored(api, "1 + 4 * value", changes={})
    metric = api.get(RESULTS, cutoff=CASE["last_look"])["metrics"][0]
    (variant,) = metric["variants"]
    for name in ("control", "treatment"):
        assert variant[name]["method"] == "cr2_t"
        assert variant[name]["estimate"] > 1
    (said,) = [one for one in metric["warnings"] if "boolean" in one]
    assert said.endswith("neither 0 nor 1: they are read as numbers")


def test_silence_has_a_worst_value_only_among_zeros_and_ones(api: ApiServer) -> None:
    """Accounts of the variant are silent more than by chance, and nothing bounds their stars."""
    scored(api, "9 - value", changes={"mode": "anytime", "on_failure": 9.0})
    (variant,) = api.get(RESULTS, cutoff=CASE["last_look"])["metrics"][0]["variants"]
    assert variant["standing"]["word"] == "invalid"
    assert variant["standing"]["reason"].startswith("answered 57% of 'concise'")


def test_where_lower_is_better_silence_is_worst_at_1(api: ApiServer) -> None:
    """The published case turned round: who is silent could turn it there, and here as well."""
    changes = {"mode": "anytime", "on_failure": 1.0, "direction": Direction.LOWER}
    scored(api, "1 - value", changes=changes)
    (variant,) = api.get(RESULTS, cutoff=CASE["last_look"])["metrics"][0]["variants"]
    assert variant["difference"]["estimate"] < 0
    assert variant["standing"]["word"] == "invalid"
