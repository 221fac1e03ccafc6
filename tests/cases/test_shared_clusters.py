"""Runs that are assigned by themselves: what those of a session have in common is netted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from psycopg.rows import dict_row

from assay.experiments.comparison import bound, compare
from assay.experiments.sight import ALWAYS
from assay.model.moments import Counting
from assay.stats import clusters
from assay.store.moments import moments
from assay.store.pool import connect
from simulation.design import MATURITY, Design, Drawn, draw
from simulation.pipe import AFTER
from simulation.rows import PRIMARY, PROJECT, write
from simulation.scenarios import plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.experiments.comparison import Comparison
    from assay.model.moments import Moments

DESIGN = Design(units=12, per_run=True, base=0.5, runs=16.0, failed=0.1)


def stored(url: str) -> tuple[Drawn, Moments]:
    """An experiment of 12 sessions, and its moments when all answers are in."""
    drawn = draw(DESIGN, 1, np.random.default_rng(4))
    (name,) = write(url, DESIGN, plan(DESIGN), drawn)

    async def read() -> Moments:
        async with (
            await connect(url) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            found = await moments(
                cursor,
                Counting(
                    project=PROJECT,
                    experiment=name,
                    cutoff=AFTER,
                    maturity=timedelta(days=MATURITY),
                    since=ALWAYS,
                    sticky=False,
                ),
                metrics=[PRIMARY],
            )
            return found[PRIMARY]

    return drawn, asyncio.run(read())


def by_session(
    drawn: Drawn, values: NDArray[np.float64], counted: NDArray[np.bool_]
) -> tuple[clusters.Arm, clusters.Arm]:
    """Both arms of some runs, by session."""
    sides = [counted & (drawn.variant == place) for place in (0, 1)]
    first, second = (
        clusters.by_cluster(values[side], drawn.session[side].tolist()) for side in sides
    )
    return first, second


def seen(
    found: Moments, drawn: Drawn, of: str
) -> tuple[Comparison, NDArray[np.float64], NDArray[np.bool_]]:
    """A comparison, the values of runs that it is about, and which runs have one."""
    answered = drawn.answered_at <= drawn.at + MATURITY
    always = np.ones(len(drawn.at), dtype=bool)
    if of == "bound":
        value = np.where(answered, drawn.value, 1.0)
        supposed = bound(found, variant="v1", control="v0", silent=(1.0, 1.0), on_failure=0.0)
        return supposed, np.where(drawn.failed, 0.0, value), always
    if of == "failures":
        failures = compare(found, variant="v1", control="v0", weighting="failures")
        return failures, drawn.failed.astype(float), always
    if of == "coverage":
        coverage = compare(found, variant="v1", control="v0", weighting="coverage")
        return coverage, (drawn.failed | answered).astype(float), always
    return compare(found, variant="v1", control="v0", weighting="run"), drawn.value, answered


@pytest.mark.parametrize("of", ["run", "failures", "coverage", "bound"])
def test_a_session_with_runs_in_both_arms_counts_once(assay_database: str, of: str) -> None:
    """The error is that of the runs themselves, summed by session in each arm and netted."""
    drawn, found = stored(assay_database)
    known, values, counted = seen(found, drawn, of)
    control, treatment = by_session(drawn, values, counted)

    assert known.difference is not None
    assert known.difference.estimate == pytest.approx(treatment.mean - control.mean)
    wanted = clusters.difference_variance(control, treatment)
    assert known.difference.variance == pytest.approx(wanted)
    assert known.difference.df == pytest.approx(clusters.difference_df(control, treatment))
    apart = clusters.variance(control) + clusters.variance(treatment)
    assert wanted != pytest.approx(apart, rel=0.01)


def test_a_failed_run_counts_within_its_session(assay_database: str) -> None:
    """With failures as bad answers, the influence of a session is a sum over both of its arms."""
    drawn, found = stored(assay_database)
    answered = drawn.answered_at <= drawn.at + MATURITY
    net: dict[object, float] = {}
    for place in (0, 1):
        scored = by_session(drawn, drawn.value, answered)[place]
        failed = by_session(drawn, drawn.failed.astype(float), np.ones_like(answered))[place]
        share, sign = failed.mean, 2 * place - 1
        for arm, factor in ((scored, 1 - share), (failed, -scored.mean)):
            for label, part in zip(arm.labels, clusters.influence(arm), strict=True):
                net[label] = net.get(label, 0.0) + sign * factor * float(part)

    known = compare(found, variant="v1", control="v0", weighting="run", on_failure=0.0)
    assert known.difference is not None
    assert known.difference.variance == pytest.approx(sum(part**2 for part in net.values()))


def test_balance_is_of_runs(assay_database: str) -> None:
    """They were assigned, not the sessions."""
    drawn, found = stored(assay_database)
    assert [arm.counts.units for arm in found.arms] == np.bincount(drawn.variant).tolist()
    assert [arm.coverage.units for arm in found.arms] == [
        len(set(drawn.session[drawn.variant == place].tolist())) for place in (0, 1)
    ]


@pytest.mark.parametrize("of", ["run", "failures", "coverage", "bound"])
def test_a_difference_counts_each_session_once(assay_database: str, of: str) -> None:
    """Also one with values in both arms, which is what varies on its own."""
    drawn, found = stored(assay_database)
    known, _, counted = seen(found, drawn, of)
    assert known.in_both > 0
    assert known.units == len(set(drawn.session[counted].tolist()))
