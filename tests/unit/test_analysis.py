"""What results say of moments: where there is no interval, and what a reader is told beside it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from assay.experiments.analysis import results
from assay.experiments.facts import Facts
from assay.model.experiments import Direction, Epoch, MetricKind, Mode, Plan, Strategy
from assay.model.moments import ArmMoments, Counts, Moments, Ratio, Silence
from assay.store.experiments import PlanRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.model.results import MetricResult

START = datetime(2026, 3, 2, tzinfo=UTC)


def ratio(rows: Sequence[tuple[float, float]]) -> Ratio:
    """Sums over units that have so many values of this sum."""
    n, y = math.fsum(n for n, _ in rows), math.fsum(y for _, y in rows)
    return Ratio(
        units=len(rows),
        n=n,
        y=y,
        n_squares=math.fsum(n**2 for n, _ in rows),
        e_squares=math.fsum((each - y / n * m) ** 2 / (1 - m / n) for m, each in rows)
        if len(rows) > 1
        else math.inf,
    )


def arm(epoch: int, variant: str, units: Sequence[tuple[int, float]]) -> ArmMoments:
    """An arm whose runs all have a score."""
    runs, size = sum(n for n, _ in units), len(units)
    return ArmMoments(
        epoch=epoch,
        variant=variant,
        counts=Counts(
            exposed=runs,
            mature=runs,
            scored=runs,
            units=size,
            units_mature=size,
            units_scored=size,
        ),
        by_run=ratio(units),
        by_unit=ratio([(1, y / n) for n, y in units]),
        coverage=ratio([(n, n) for n, _ in units]),
        failures=ratio([(n, 0) for n, _ in units]),
        joint=0.0,
        silence=Silence(bb=0.0, bd=0.0, bc=0.0, dc=0.0),
    )


def said(*arms: ArmMoments, mde: float | None = None, is_planned: bool = True) -> MetricResult:
    """What is said of a score, under an anytime plan or under none."""
    plan = Plan(
        primary="good",
        kind=MetricKind.NUMBER,
        control="a",
        direction=Direction.HIGHER,
        mode=Mode.ANYTIME,
        alpha=0.05,
        units=40,
        mde=mde,
        maturity_s=86400.0,
        on_failure=None,
    )
    names = tuple(dict.fromkeys(one.variant for one in arms))
    epochs = [
        Epoch(
            number=number,
            strategy=Strategy.BUCKET,
            variants=names,
            weights=dict.fromkeys(names, 1.0),
            salt=str(number),
            unit_kind="bucket",
            sticky=False,
            app="app",
            version=None,
            worker=None,
            author=None,
            opened_at=START - timedelta(seconds=1),
        )
        for number in sorted({one.epoch for one in arms})
    ]
    record = PlanRecord(
        version=1, plan=plan, by=None, author=None, declared_at=START - timedelta(days=1)
    )
    facts = Facts(
        experiment="style",
        cutoff=START + timedelta(days=9),
        epochs=epochs,
        plan=record if is_planned else None,
        start=START,
        metrics=["good"],
    )
    found = Moments(arms=arms, forced=0, without_unit=0, first_at=START)
    metric, *_ = results(facts, {"good": found}, {}).metrics
    return metric


def alike(size: int) -> list[tuple[int, float]]:
    """Units of two runs each, which vary a little."""
    return [(2, 1 + place % 3 * 0.1) for place in range(size)]


@pytest.mark.parametrize(("control", "treatment"), [(9, 99), (99, 9), (10, 10)])
def test_there_is_no_interval_under_ten_units_an_arm(control: int, treatment: int) -> None:
    """However many the other has; the estimate is shown all the same."""
    (found,) = said(arm(1, "a", alike(control)), arm(1, "b", alike(treatment))).variants
    is_known = min(control, treatment) == 10
    assert found.difference.estimate is not None
    assert (found.difference.ci is not None) is is_known
    assert found.difference.reason == (None if is_known else "under 10 units with values in an arm")


@pytest.mark.parametrize(("in_second", "left_out"), [(1, [2]), (2, [])])
def test_units_of_the_epochs_that_count_are_counted_together(
    in_second: int, left_out: list[int]
) -> None:
    """An epoch with one unit in an arm does not count, nor does that unit."""
    control = [arm(1, "a", alike(9)), arm(2, "a", alike(in_second))]
    (found,) = said(*control, arm(1, "b", alike(20)), arm(2, "b", alike(20))).variants
    assert found.epochs_left_out == left_out
    assert (found.difference.ci is None) is bool(left_out)


def test_epochs_weigh_by_what_all_arms_have_in_them() -> None:
    """Runs where runs weigh the same, units where those do; another variant's count too."""
    early, late = [(2, 1 + n % 3) for n in range(20)], [(1, n % 3) for n in range(60)]
    better = [(runs, total + runs) for runs, total in early]
    metric = said(
        arm(1, "a", early),
        arm(1, "b", better),
        arm(2, "a", late),
        arm(2, "b", late),
        arm(2, "c", late),
    )
    (found,) = [one for one in metric.variants if one.variant == "b"]
    assert found.difference.estimate == pytest.approx(80 / (80 + 180))
    assert found.by_unit.estimate == pytest.approx(40 / (40 + 180))


@pytest.mark.parametrize(("size", "is_told"), [(14, True), (15, False)])
def test_few_effective_units_are_told(size: int, *, is_told: bool) -> None:
    """Under 15 of them the interval may be a little too narrow."""
    warnings = said(arm(1, "a", alike(size)), arm(1, "b", alike(40))).warnings
    assert any("under 15 effective units" in one for one in warnings) is is_told


@pytest.mark.parametrize("is_apart", [True, False])
def test_weightings_that_differ_are_told(*, is_apart: bool) -> None:
    """By more than a standard error: busy units of the variant answer otherwise."""
    busy = [(6, 2.0)] * 8 if is_apart else [(2, 1.0)]
    (found,) = (metric := said(arm(1, "a", alike(40)), arm(1, "b", [*alike(40), *busy]))).variants
    assert found.by_unit.estimate is not None
    assert found.survivors.estimate is not None
    assert found.survivors.se is not None
    apart = abs(found.survivors.estimate - found.by_unit.estimate)
    assert (found.survivors.se < apart < 3 * found.survivors.se) is is_apart
    assert found.weightings_differ is is_apart
    assert any("with each unit the same" in one for one in metric.warnings) is is_apart


@pytest.mark.parametrize(("mde", "is_enough"), [(0.001, False), (0.5, True)])
def test_how_many_more_units_are_needed(mde: float, *, is_enough: bool) -> None:
    """Of those needed what there is already is no more asked for."""
    (found,) = said(arm(1, "a", alike(20)), arm(1, "b", alike(20)), mde=mde).variants
    planning = found.planning
    assert planning is not None
    assert planning.units_needed is not None
    assert planning.units_more == (0 if is_enough else planning.units_needed - 40)
    assert (planning.units_more == 0) is is_enough


@pytest.mark.parametrize("is_planned", [True, False])
def test_the_intervals_of_several_variants_hold_together(*, is_planned: bool) -> None:
    """Each has its share of alpha, without a plan too."""
    arms = [arm(1, name, alike(20)) for name in "abc"]
    found = said(*arms, is_planned=is_planned).variants
    assert [one.variant for one in found] == ["b", "c"]
    assert [one.difference.alpha for one in found] == [0.025, 0.025]
