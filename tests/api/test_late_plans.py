"""Experiments over HTTP: a plan that came late, one that showed nothing, one that was stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from assay.stats import power
from experiment_rows import instant
from published_experiment import CASE, LAST, NAME, load, plan, take, with_durations

if TYPE_CHECKING:
    from api_server import ApiServer

RESULTS = f"experiments/{NAME}/results"


def test_what_was_not_shown_comes_with_what_its_look_could_find(api: ApiServer) -> None:
    """And not with what could be found today, which changes from day to day."""
    load(api.url, plan(alpha=0.0001))
    take(api.url, LAST + timedelta(hours=1))
    (found,) = api.get(RESULTS)["metrics"][0]["variants"]
    standing = found["standing"]
    se, factor = standing["difference"]["se"], power.PLANNED_FACTOR
    could = power.detectable(se, alpha=0.0001, power=0.8, factor=factor)
    assert standing["word"] == "not shown"
    assert f"A difference of {100 * could:.1f} pp could be found." in standing["sentence"]


def test_a_plan_that_came_late_says_so(api: ApiServer) -> None:
    """Units that were served before it are left out."""
    load(api.url, plan(), declared=instant(CASE["epochs"][0]["from"]) + timedelta(days=7))
    results = api.get(RESULTS, cutoff=CASE["last_look"])
    assert any("only units first exposed after that count" in one for one in results["warnings"])
    assert 0 < sum(arm["tally"]["units"] for arm in results["metrics"][0]["arms"]) < 64


def test_a_guardrail_that_is_broken_since_puts_what_was_better_in_doubt(api: ApiServer) -> None:
    """It was held at the look; who reads the verdict today has to know."""
    load(api.url, plan(guardrails={"run.duration": -2.0}))
    with_durations(api.url, {"detailed": 3.0, "concise": 3.0})
    take(api.url, LAST + timedelta(hours=1))
    with psycopg.connect(api.url) as connection:
        connection.execute(
            "UPDATE assay.experiment_scores SET value = value + 9"
            " WHERE metric = 'run.duration' AND variant = 'concise'"
        )
    decides = api.get(RESULTS)["metrics"][0]
    (found,) = decides["variants"]
    standing, said = found["standing"], "guardrail broken: run.duration"
    assert [one["word"] for one in found["guardrails"]] == ["broken"]
    assert (standing["word"], standing["is_decided"]) == ("better", True)
    assert any("'run.duration' is broken" in one for one in decides["warnings"])
    assert said in standing["reason"]
    assert f"By now {said}" in standing["sentence"]


def test_a_stop_with_a_broken_guardrail_keeps_what_was_missing(api: ApiServer) -> None:
    """The difference was shown: it is not called none because somebody stopped."""
    load(api.url, plan(guardrails={"run.duration": -2.0}))
    with_durations(api.url, {"detailed": 3.0, "concise": 9.0})
    take(api.url, LAST + timedelta(hours=1))
    api.post(f"experiments/{NAME}/stop", {"decision": "none", "reason": "too slow"})
    cutoff = CASE["expected"][-1]["variants"]["concise"]["planned"]["verdict"]["cutoff"]
    (found,) = api.get(RESULTS, cutoff=cutoff)["metrics"][0]["variants"]
    said = found["standing"]["sentence"]
    assert said.startswith("'concise' is not shown to be better than 'detailed' (guardrail broken:")
    assert "; stopped on " in said


def test_a_variant_of_weight_0_that_was_served_is_shown(api: ApiServer) -> None:
    """With its numbers, and nothing is said of it: units did not come as the weights say."""
    load(api.url, plan())
    with psycopg.connect(api.url) as connection:
        connection.execute(
            'UPDATE assay.experiment_epochs SET weights = \'{"detailed": 1, "concise": 0}\''
        )
    results = api.get(RESULTS, cutoff=CASE["last_look"])
    (found,) = results["metrics"][0]["variants"]
    assert results["variants"] == ["detailed", "concise"]
    assert found["standing"]["word"] == "invalid"
    assert results["metrics"][0]["arms"][1]["tally"]["units"] > 0


def test_a_variant_whose_runs_all_fail_is_told(api: ApiServer) -> None:
    """It has nothing to compare, and how many fail is a metric of all runs."""
    load(api.url, plan(guardrails={"run.failure": -0.02}))
    with psycopg.connect(api.url) as connection:
        connection.execute("UPDATE assay.exposures SET failed_at = at WHERE variant = 'concise'")
        connection.execute("DELETE FROM assay.experiment_scores WHERE variant = 'concise'")
    decides, failure = api.get(RESULTS)["metrics"]
    assert any("of 'concise' failed and none has a score" in one for one in decides["warnings"])
    assert decides["variants"][0]["difference"]["reason"] == "under 10 units with values in an arm"
    assert failure["estimand"] == "all runs"
    assert failure["variants"][0]["difference"]["estimate"] > 0.5


def test_what_was_stopped_collects_no_more(api: ApiServer) -> None:
    """Nothing was shown until then, and nobody is asked for more units."""
    load(api.url, plan())
    (before,) = api.get(RESULTS, cutoff=CASE["last_look"])["metrics"][0]["variants"]
    assert before["standing"]["word"] == "keep collecting"
    stopped = api.post(f"experiments/{NAME}/stop", {"decision": "none", "reason": "no time"})
    (found,) = api.get(RESULTS, cutoff=CASE["last_look"])["metrics"][0]["variants"]
    assert found["standing"]["word"] == "not shown"
    assert f"stopped on {stopped['stopped']['at'][:10]}" in found["standing"]["sentence"]
