"""One published experiment from raw rows: every number comes out of the real tables again."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pytest

from assay.experiments.comparison import Comparison, compare
from assay.experiments.looks import Rules, Seen, anytime_look, planned_look
from assay.experiments.verdict import standing
from assay.model.moments import Counting
from assay.stats import anytime, balance
from assay.store.moments import moments
from assay.store.pool import ReadPool
from experiment_rows import PROJECT, instant, maturity, published, write

if TYPE_CHECKING:
    from assay.experiments.comparison import Weighting
    from assay.model.looks import Look
    from assay.model.moments import Moments
    from assay.stats.ratios import Mean

CASE = published()
EXACT = 1e-9
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
OURS = {
    "under 10 units an arm": "under 10 units with values in an arm",
    "information grew by under 1 %": "information grew by under 1 %",
}
"""Why a look is not tested, by the published word for it."""


def read(url: str, cutoff: datetime) -> Moments:
    """The moments of the case at a cutoff."""

    async def ask() -> Moments:
        pool = ReadPool(url, size=1)
        try:
            async with pool.reading(PROJECT) as cursor:
                found = await moments(
                    cursor,
                    Counting(
                        project=PROJECT,
                        experiment=CASE["name"],
                        cutoff=cutoff,
                        maturity=maturity(CASE),
                        since=ALWAYS,
                        sticky=CASE["sticky"],
                    ),
                    metrics=[CASE["plan"]["primary"]],
                )
                return found[CASE["plan"]["primary"]]
        finally:
            await pool.close()

    return asyncio.run(ask())


def load(url: str, *, seed: int | None = None) -> None:
    """Write the case, its scores in a shuffled order where there is a seed."""
    scores = list(CASE["scores"])
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(scores))
        scores = [scores[place] for place in order]
    with psycopg.connect(url) as connection:
        write(connection, CASE, scores=scores)


def against_control(found: Moments, weighting: Weighting) -> Comparison:
    """The case's variant beside its control."""
    plan = CASE["plan"]
    return compare(
        found,
        variant="concise",
        control=plan["control"],
        weighting=weighting,
        on_failure=plan["on_failure"],
    )


def near(value: Any) -> Any:
    """Equal to 9 digits."""
    return pytest.approx(value, rel=EXACT, abs=EXACT)


def same_arm(arm: Mean | None, expected: dict[str, Any]) -> None:
    """An arm is as published."""
    assert arm is not None
    assert arm.estimate == near(expected["estimate"])
    assert math.sqrt(arm.variance) == near(expected["se"])
    assert arm.df == near(expected["df"])
    assert (arm.units, arm.values) == (expected["units"], expected["runs"])


def same(comparison: Comparison, expected: dict[str, Any]) -> None:
    """A comparison is as published."""
    assert comparison.difference is not None
    assert comparison.difference.estimate == near(expected["estimate"])
    assert comparison.difference.se == near(expected["se"])
    assert comparison.difference.df == near(expected["df"])
    assert list(comparison.epochs_left_out) == expected["epochs_left_out"]
    same_arm(comparison.control, expected["arms"]["detailed"])
    same_arm(comparison.treatment, expected["arms"]["concise"])


@pytest.mark.parametrize("expected", CASE["expected"], ids=lambda one: one["cutoff"][:10])
def test_every_number_of_a_published_case(assay_database: str, expected: dict[str, Any]) -> None:
    """Counts, both weightings, coverage, balance and today's interval, to 9 digits."""
    load(assay_database)
    found = read(assay_database, instant(expected["cutoff"]))

    for arm in found.arms:
        counts = expected["counts"][arm.variant]
        names = {"exposed_runs": "exposed", "units_mature": "units_mature"}
        assert counts == {name: getattr(arm.counts, names.get(name, name)) for name in counts}
    variant = expected["variants"]["concise"]
    by_run = against_control(found, "run")
    same(by_run, variant["run_weighted"])
    same(against_control(found, "unit"), variant["unit_weighted"])
    same(against_control(found, "coverage"), variant["coverage"])

    (epoch,) = CASE["epochs"]
    units = {arm.variant: arm.counts.units for arm in found.arms}
    weights = epoch["weights"]
    assert balance.log_e([units[name] for name in weights], list(weights.values())) == near(
        expected["srm_loge"]
    )

    today, difference = variant["anytime_now"], by_run.difference
    assert difference is not None
    assert by_run.units == today["n"]
    alpha = CASE["plan"]["alpha"]
    g = anytime.tuning(CASE["plan"]["units"], alpha)
    assert g == near(today["g"])
    t = difference.estimate / difference.se
    evidence = anytime.log_e(t, df=difference.df, units=by_run.units, g=g)
    assert evidence == near(today["loge"])
    assert anytime.p_value(evidence) == near(today["p"])
    half = anytime.multiplier(alpha, df=difference.df, units=by_run.units, g=g)
    assert half == near(today["mult"])
    bounds = [difference.estimate + sign * half * difference.se for sign in (-1, 1)]
    assert bounds == near(today["ci"])


def test_the_order_of_arrival_changes_nothing(assay_database: str) -> None:
    """Scores are rows with times of their own."""
    cutoff = instant(CASE["expected"][-1]["cutoff"])
    load(assay_database)
    first = read(assay_database, cutoff)
    with psycopg.connect(assay_database) as connection:
        for table in ("exposures", "experiment_scores", "experiment_epochs"):
            connection.execute(f"DELETE FROM assay.{table} WHERE project_id = 1")
    load(assay_database, seed=7)
    again = read(assay_database, cutoff)

    assert [arm.counts for arm in first.arms] == [arm.counts for arm in again.arms]
    one, other = against_control(first, "run"), against_control(again, "run")
    assert one.difference is not None
    assert other.difference is not None
    assert one.difference.estimate == near(other.difference.estimate)
    assert one.difference.se == near(other.difference.se)


def test_a_pending_run_moves_no_estimate(assay_database: str) -> None:
    """It is exposed, and not mature: only the counts know it."""
    cutoff = instant(CASE["expected"][0]["cutoff"])
    load(assay_database)
    before = against_control(read(assay_database, cutoff), "run")
    with psycopg.connect(assay_database) as connection:
        connection.execute(
            "INSERT INTO assay.exposures SELECT project_id, experiment, gen_random_uuid(), 0,"
            " variant, unit, cluster, p, epoch, forced, %s, NULL FROM assay.exposures"
            " WHERE project_id = 1 LIMIT 1",
            (cutoff - timedelta(days=1),),
        )

    assert against_control(read(assay_database, cutoff), "run") == before


def test_swapping_the_arms_flips_the_sign_alone(assay_database: str) -> None:
    """The error and its degrees of freedom are the same."""
    load(assay_database)
    found = read(assay_database, instant(CASE["expected"][0]["cutoff"]))
    there = compare(found, variant="concise", control="detailed", weighting="run", on_failure=0)
    back = compare(found, variant="detailed", control="concise", weighting="run", on_failure=0)

    assert there.difference is not None
    assert back.difference is not None
    assert there.difference.estimate == near(-back.difference.estimate)
    assert there.difference.variance == near(back.difference.variance)
    assert there.difference.df == near(back.difference.df)


def seen_until(url: str, last: datetime) -> list[Seen]:
    """The case's daily looks, before they are tested; the plan ends with the last."""
    begun = instant(CASE["epochs"][0]["from"])
    end = instant(CASE["last_look"])
    length = end - begun - maturity(CASE)
    days = [begun + timedelta(days=day) for day in range(1, (last - begun).days + 1)]
    return [
        Seen(
            cutoff=day,
            comparison=against_control(read(url, day), "run"),
            time=max(0.0, (day - begun - maturity(CASE)) / length),
            is_final=day == end,
        )
        for day in days
    ]


def test_every_look_of_a_published_case(assay_database: str) -> None:
    """Both modes: what is tested, boundaries, alpha spent, intervals, the day of the verdict."""
    load(assay_database)
    expected = CASE["expected"][-1]["variants"]["concise"]
    rules = Rules(alpha=CASE["plan"]["alpha"], margin=CASE["plan"]["margin"])
    g = anytime.tuning(CASE["plan"]["units"], rules.alpha)
    planned: list[Look] = []
    for seen in (days := seen_until(assay_database, instant(CASE["last_look"]))):
        planned.append(planned_look(planned, seen, rules))
    open_ended = [anytime_look(replace(seen, is_final=False), rules, g=g) for seen in days]

    for mode, looks in (("planned", planned), ("anytime", open_ended)):
        wanted = expected[mode]["looks"]
        assert [look.tested for look in looks] == [one["tested"] for one in wanted]
        assert [look.n_units for look in looks] == [one["n_units"] for one in wanted]
        for look, one in zip(looks, wanted, strict=True):
            if not look.tested:
                assert look.reason == OURS[one["reason"]]
                continue
            for name in ("estimate", "se", "df"):
                assert getattr(look, name) == near(one[name])
            assert look.ci == near(tuple(one["ci"]))
            if mode == "planned":
                assert look.time == near(one["spending_fraction"])
                assert look.deviate == near(one["z"])
                assert look.boundary == near(one["boundary"])
                assert look.spent == near(one["spent"])
            else:
                assert look.log_e == near(one["loge"])
        verdict = standing(looks)
        assert verdict.look is not None
        assert verdict.word == expected[mode]["verdict"]["word"]
        assert verdict.look.cutoff == instant(expected[mode]["verdict"]["cutoff"])
