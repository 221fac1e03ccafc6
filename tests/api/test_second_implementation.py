"""Verdicts of one look against a second implementation, from the raw rows and by other means.

Differences and their errors are Bell and McCaffrey's in matrices over runs; Holm's steps and the
two one-sided tests are statsmodels'; the anytime bound of a guardrail is where its evidence is one
over alpha.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from psycopg.rows import dict_row
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_ind

from api_server import ApiServer
from assay.experiments import daily
from assay.model.experiments import Declarer, MetricKind, Plan
from assay.store import choices
from assay.store.pool import connect
from experiment_rows import EPOCH, EXPOSURE, PROJECT, SCORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from assay.testing import Databases

    Floats = NDArray[np.float64]
    Experiments = tuple[str, dict[int, "list[Run]"]]

BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
MATURITY, ALPHA, MARGIN = timedelta(days=7), 0.05, 0.6
ENDS = BEGUN + MATURITY + timedelta(days=1)
"""All come on the first day, so that the last look is the only one that sees anything."""
UNITS = 200
VARIANTS = ("a", "b", "c", "d", "e")
GUARDRAILS = {"tone": 0.3, "cost": -0.4, "run.failure": -0.15}
PLAN = Plan(
    primary="quality",
    kind=MetricKind.NUMBER,
    control="a",
    days=8,
    units=UNITS,
    margin=MARGIN,
    guardrails=GUARDRAILS,
    maturity_s=MATURITY.total_seconds(),
)
SEEDS = range(8)
GUARDED = [seed for seed in SEEDS if seed % 4 < 2]
BARE = [seed for seed in SEEDS if seed not in GUARDED]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is written."""

    unit: str
    variant: str
    at: datetime
    fails: bool
    scores: dict[str, float]


def drawn(seed: int) -> list[Run]:
    """Runs of five variants, some better or worse; one run a unit for every second seed."""
    chance = np.random.default_rng(seed)
    effects = np.array([0.0, *chance.choice([-1.0, -0.4, 0.0, 0.0, 0.4, 1.0], 4)])
    harms = np.array([0.0, *chance.choice([0.0, 0.1, 0.9], 4)])
    runs: list[Run] = []
    for number in range(int(chance.integers(160, 240))):
        place = int(chance.integers(len(VARIANTS)))
        own = chance.normal(0, 0.4, 3)
        for _ in range(1 if seed % 2 else 1 + int(chance.poisson(2))):
            noise = chance.normal(0, 0.5, 3)
            quality, tone, cost = own + noise + [effects[place], -harms[place], harms[place]]
            fails = bool(chance.random() < 0.1)
            at = BEGUN + timedelta(hours=1 + 20 * float(chance.random()))
            scores = {} if fails else {"quality": quality, "tone": tone, "cost": cost}
            runs.append(Run(f"u{number}", VARIANTS[place], at, fails, scores))
    return runs


def write(url: str, seed: int, runs: list[Run]) -> None:
    """The rows of an experiment, its plan and its looks."""
    name = f"e{seed}"
    weights = json.dumps(dict.fromkeys(VARIANTS, 1.0))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(EPOCH, (PROJECT, name, 1, "1", list(VARIANTS), weights, "", False, BEGUN))
        for number, run in enumerate(runs):
            id_ = UUID(int=(seed + 1 << 32) + number)
            failed = run.at + timedelta(minutes=1) if run.fails else None
            row = (name, id_, 0, run.variant, run.unit, 0.2, 1, False, run.at, failed)
            cursor.execute(EXPOSURE, (PROJECT, *row))
            after = run.at + timedelta(hours=1)
            for metric, value in run.scores.items():
                key = (name, metric, id_, 0, id_, run.variant, 1, run.unit, run.at)
                cursor.execute(SCORE, (PROJECT, *key, float(value), after, after))
    plan = PLAN if seed in GUARDED else replace(PLAN, guardrails={})
    asyncio.run(look(url, name, plan))


async def look(url: str, name: str, plan: Plan) -> None:
    """Declare the plan, and take all of its looks."""
    by = Declarer(app="app", version="1", worker="host:1")
    async with await connect(url) as connection:
        await choices.declare_plan(
            connection, plan, project=PROJECT, experiment=name, by=by, now=BEGUN
        )
        async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            now = ENDS + timedelta(hours=2)
            await daily.look(cursor, project=PROJECT, experiment=name, now=now)


def values(runs: list[Run], metric: str, variant: str) -> tuple[Floats, list[str]]:
    """Of the runs of a variant that have one, each with its unit."""
    if metric == "run.failure":
        found = [(float(run.fails), run.unit) for run in runs if run.variant == variant]
    else:
        found = [
            (run.scores[metric], run.unit)
            for run in runs
            if run.variant == variant and metric in run.scores
        ]
    return np.array([value for value, _ in found]), [unit for _, unit in found]


@dataclass(frozen=True, slots=True)
class Second:
    """A difference by the other means."""

    estimate: float
    se: float
    df: float
    units: int


def second(runs: list[Run], metric: str, variant: str) -> Second:
    """Least squares on the arms' dummies, with CR2 errors by unit and the df of its parts."""
    means, variances, dfs, units = [], [], [], 0
    for name in ("a", variant):
        y, labels = values(runs, metric, name)
        whole, middle = 0.0, y.mean()
        sizes = []
        for label in set(labels):
            residuals = (y - middle)[[one == label for one in labels]]
            n = len(residuals)
            lost = np.eye(n) - np.full((n, n), 1 / len(y))
            eigenvalues, vectors = np.linalg.eigh(lost)
            root = vectors @ np.diag(eigenvalues**-0.5) @ vectors.T
            whole += float((np.ones(n) @ root @ residuals) ** 2)
            sizes.append(n)
        means.append(middle)
        variances.append(whole / len(y) ** 2)
        dfs.append(len(y) ** 2 / sum(n**2 for n in sizes) - 1)
        units += len(sizes)
    variance = sum(variances)
    df = variance**2 / sum(v**2 / f for v, f in zip(variances, dfs, strict=True))
    return Second(means[1] - means[0], math.sqrt(variance), df, units)


@pytest.fixture(scope="module")
def experiments(assay_databases: Databases) -> Iterator[Experiments]:
    """Experiments of all seeds, looked at to their end, in one database."""
    with assay_databases.new() as url:
        runs = {seed: drawn(seed) for seed in SEEDS}
        for seed, of_seed in runs.items():
            write(url, seed, of_seed)
        yield url, runs


def near(value: float) -> Any:
    """Equal to 9 digits."""
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def served(experiments: Experiments) -> Iterator[ApiServer]:
    """The API on them."""
    with ApiServer(experiments[0]) as api:
        yield api


def final(api: ApiServer, seed: int) -> dict[str, dict[str, Any]]:
    """The last planned look at each variant."""
    looks = api.pages(f"experiments/e{seed}/looks")
    tested = [one for one in looks if one["mode"] == "planned" and one["tested"]]
    found = {one["variant"]: one for one in tested}
    assert len(tested) == len(found) == len(VARIANTS) - 1
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_differences_are_those_of_least_squares(
    experiments: Experiments, served: ApiServer, seed: int
) -> None:
    """Of the primary metric and of all guardrails, in the results and in the last look."""
    runs = experiments[1][seed]
    metrics = {one["metric"]: one for one in served.get(f"experiments/e{seed}/results")["metrics"]}
    assert set(metrics) == {"quality", *(GUARDRAILS if seed in GUARDED else ())}
    for name, metric in metrics.items():
        for variant in metric["variants"]:
            wanted = second(runs, name, variant["variant"])
            figure = variant["difference"]
            assert figure["estimate"] == near(wanted.estimate)
            assert figure["se"] == near(wanted.se)
            assert figure["n_eff"] == near(wanted.df + 1)
            assert figure["n_units"] == wanted.units


@pytest.mark.parametrize("seed", BARE)
def test_the_words_are_those_of_holm(
    experiments: Experiments, served: ApiServer, seed: int
) -> None:
    """A look that is the only one shows what the step-down procedure rejects."""
    runs, looks = experiments[1][seed], final(served, seed)
    chances = [chance(second(runs, "quality", name)) for name in looks]
    rejected, *_ = multipletests(chances, ALPHA, method="holm")
    assert [look["word"] in {"better", "worse"} for look in looks.values()] == rejected.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_words_and_intervals_follow_from_the_levels(
    experiments: Experiments, served: ApiServer, seed: int
) -> None:
    """A variant that its guardrails keep from being better frees nothing for the others."""
    runs, looks = experiments[1][seed], final(served, seed)
    seconds = {name: second(runs, "quality", name) for name in looks}
    kept = {
        name
        for name, one in seconds.items()
        if seed in GUARDED
        and one.estimate > 0
        and any(harm(runs, name, metric) != "held" for metric in GUARDRAILS)
    }
    levels = steps({name: 1.0 if name in kept else chance(one) for name, one in seconds.items()})
    for name, one in seconds.items():
        look, level = looks[name], levels[name]
        half = stats.t.ppf(1 - level / 2, one.df) * one.se
        assert look["difference"]["alpha"] == near(level)
        assert look["difference"]["ci"] == [near(one.estimate - half), near(one.estimate + half)]
        word = "not shown"
        if chance(one) < level:
            word = "worse" if one.estimate < 0 else "not shown" if name in kept else "better"
        elif is_equivalent(one, level):
            word = "equivalent"
        assert look["word"] == word, name


def chance(one: Second) -> float:
    """The two-sided p value."""
    return float(2 * stats.t.sf(abs(one.estimate / one.se), one.df))


def steps(chances: dict[str, float]) -> dict[str, float]:
    """The level at which each variant stands: those shown at one free their shares at once."""
    levels: dict[str, float] = {}
    while len(levels) < len(chances):
        level = ALPHA / (len(chances) - len(levels))
        shown = [name for name, p in chances.items() if name not in levels and p < level]
        if not shown:
            return {name: levels.get(name, level) for name in chances}
        levels |= dict.fromkeys(shown, level)
    return levels


def is_equivalent(one: Second, level: float) -> bool:
    """Two one-sided tests, each at half of the level."""
    low = stats.t.sf((one.estimate + MARGIN) / one.se, one.df)
    high = stats.t.cdf((one.estimate - MARGIN) / one.se, one.df)
    return bool(max(low, high) < level / 2)


def harm(runs: list[Run], variant: str, metric: str) -> str:
    """What a guardrail says at a single look: one-sided tests of its margin, on both sides."""
    one, margin = second(runs, metric, variant), GUARDRAILS[metric]
    # As if more of it were good.
    t = (one.estimate * math.copysign(1, margin) + abs(margin)) / one.se
    if stats.t.sf(t, one.df) < ALPHA:
        return "held"
    return "broken" if stats.t.cdf(t, one.df) < ALPHA else "open"


@pytest.mark.parametrize("seed", GUARDED)
def test_guardrails_are_one_sided_tests_of_their_margin(
    experiments: Experiments, served: ApiServer, seed: int
) -> None:
    """In the look at the level of the plan, each by itself."""
    runs, looks = experiments[1][seed], final(served, seed)
    for variant, look in looks.items():
        for guardrail in look["guardrails"]:
            metric, margin = guardrail["metric"], GUARDRAILS[guardrail["metric"]]
            one = second(runs, metric, variant)
            half = stats.t.ppf(1 - ALPHA, one.df) * one.se
            assert guardrail["bound"] == near(one.estimate - math.copysign(half, margin))
            assert guardrail["word"] == harm(runs, variant, metric)


@pytest.mark.parametrize("seed", GUARDED)
def test_guardrails_after_the_verdict_hold_at_any_time(
    experiments: Experiments, served: ApiServer, seed: int
) -> None:
    """Their bound is where the evidence of the t-mixture is one over twice alpha."""
    runs = experiments[1][seed]
    decides = served.get(f"experiments/e{seed}/results")["metrics"][0]
    for variant in decides["variants"]:
        assert variant["standing"]["is_decided"]
        for guardrail in variant["guardrails"]:
            metric, margin = guardrail["metric"], GUARDRAILS[guardrail["metric"]]
            one = second(runs, metric, variant["variant"])
            half = widest(one) * one.se
            low, high = guardrail["difference"]["ci"]
            assert (low, high) == (near(one.estimate - half), near(one.estimate + half))
            bad = low if margin > 0 else -high
            good = high if margin > 0 else -low
            assert guardrail["word"] == (
                "held" if bad > -abs(margin) else "broken" if good < -abs(margin) else "open"
            )


def widest(one: Second) -> float:
    """The t at which the evidence against it is 1 / (2 alpha), found by bisection."""
    units = UNITS * 2 / len(VARIANTS)
    g = units / (2 * math.log(1 / ALPHA) + math.log(1 + 2 * math.log(1 / ALPHA)))
    r = g / (g + one.units)

    def evidence(t: float) -> float:
        likelihood = (1 + t**2 / one.df) / (1 + r * t**2 / one.df)
        return math.log(math.sqrt(r) * likelihood ** ((one.df + 1) / 2) * 2 * ALPHA)

    return float(optimize.brentq(evidence, 0, 100, xtol=1e-13, rtol=1e-14))


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % 2])
def test_equivalence_of_single_runs_is_that_of_statsmodels(
    experiments: Experiments, served: ApiServer, seed: int
) -> None:
    """With one run a unit it is the test of Schuirmann with unequal variances, and Welch's t."""
    runs, looks = experiments[1][seed], final(served, seed)
    control, _ = values(runs, "quality", "a")
    for variant, look in looks.items():
        treatment, _ = values(runs, "quality", variant)
        p, _, _ = ttost_ind(treatment, control, -MARGIN, MARGIN, usevar="unequal")
        welch = stats.ttest_ind(treatment, control, equal_var=False)
        assert 2 * stats.norm.sf(abs(look["z"])) == near(welch.pvalue)
        level = look["difference"]["alpha"]
        equivalent = p < level / 2 and welch.pvalue > level
        assert (look["word"] == "equivalent") is bool(equivalent)


def test_all_words_are_among_them(served: ApiServer) -> None:
    """So that each rule was used."""
    looks = [look for seed in SEEDS for look in final(served, seed).values()]
    assert {look["word"] for look in looks} == {"better", "worse", "equivalent", "not shown"}
    guards = {guardrail["word"] for look in looks for guardrail in look["guardrails"]}
    assert guards == {"held", "open", "broken"}
