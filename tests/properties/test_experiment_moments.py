"""Experiments of any kind through the tables: what may never change what they say."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from assay.experiments.comparison import compare
from assay.experiments.sight import ALWAYS
from assay.model.moments import Counting
from assay.store.moments import moments
from assay.store.pool import connect
from experiment_rows import EXPOSURE, PROJECT, TAKE_OVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.experiments.comparison import Comparison
    from assay.model.moments import Moments
    from assay.testing import Databases

BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
CUTOFF = BEGUN + timedelta(days=20)
MATURITY = timedelta(days=7)
RECORD = "SELECT assay.record_scores(%s, %s, %s, NULL)"
NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of a run: hours after its exposure."""

    run: int
    number: int
    after: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A run: hours after the start, and whether it fails."""

    run: int
    unit: int
    epoch: int
    moved: bool
    at: int
    fails: bool

    @property
    def variant(self) -> str:
        """That of its unit, unless a change of weights moved it."""
        return "ab"[(self.unit + self.moved) % 2]


Thing = Served | Score


@st.composite
def stories(draw: st.DrawFn) -> list[Thing]:
    """Runs of a few units over two epochs, with scores that come early, in time, late or never."""
    things: list[Thing] = []
    numbers = itertools.count()
    for run in range(draw(st.integers(1, 30))):
        at = draw(st.integers(0, 14 * 24))
        epoch = 1 if at < 240 else 2
        things.append(
            Served(
                run=run,
                unit=draw(st.integers(0, 7)),
                epoch=epoch,
                moved=epoch == 2 and draw(st.booleans()),
                at=at,
                fails=draw(st.booleans()),
            )
        )
        things += [
            Score(run=run, number=next(numbers), after=after, value=float(value))
            for after, value in draw(
                st.lists(st.tuples(st.integers(-5, 8 * 24), st.integers(0, 1)), max_size=3)
            )
        ]
    return things


@pytest.fixture(scope="module")
def connection(assay_databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """To a database that all examples share: each has an experiment of its own."""
    with assay_databases.new() as url, psycopg.connect(url, autocommit=True) as opened:
        yield opened


def tell(connection: psycopg.Connection[Any], things: Sequence[Thing]) -> Moments:
    """Write what happened in this order, as runs and scores do; then read the moments."""
    number = next(NUMBERS)
    name = f"experiment {number}"
    exposed = {
        one.run: BEGUN + timedelta(hours=one.at) for one in things if isinstance(one, Served)
    }
    for one in things:
        run, at = UUID(int=(number << 32) + one.run), exposed[one.run]
        if isinstance(one, Served):
            failed = at + timedelta(minutes=1) if one.fails else None
            row = (PROJECT, name, run, 0, one.variant, f"u{one.unit}", 0.5, one.epoch, False, at)
            with connection.transaction():
                connection.execute(EXPOSURE, (*row, failed))
                connection.execute(TAKE_OVER, (PROJECT, [name], [run], [0]))
        else:
            score = {
                "id": str(UUID(int=(number << 32) + one.number)),
                "subject": "run",
                "run": str(run),
                "step": "",
                "idx": 0,
                "name": "helpful",
                "value": one.value,
                "is_bool": True,
                "at": (at + timedelta(hours=one.after)).timestamp(),
                "source": "api",
            }
            connection.execute(RECORD, (PROJECT, CUTOFF.timestamp(), json.dumps([score])))
    return told(connection, name)


def told(connection: psycopg.Connection[Any], name: str) -> Moments:
    """The moments of an experiment as it stands."""
    return asyncio.run(read(connection.info.dsn, connection.info.password, name))


async def read(dsn: str, password: str, name: str) -> Moments:
    """The moments of an experiment."""
    async with (
        await connect(psycopg.conninfo.make_conninfo(dsn, password=password)) as opened,
        opened.cursor(row_factory=dict_row) as cursor,
    ):
        found = await moments(
            cursor,
            Counting(
                project=PROJECT,
                experiment=name,
                cutoff=CUTOFF,
                maturity=MATURITY,
                since=ALWAYS,
                sticky=False,
            ),
            metrics=["helpful"],
        )
        return found["helpful"]


def against(found: Moments, variant: str = "b", control: str = "a") -> Comparison:
    """The comparison that a plan would make."""
    return compare(found, variant=variant, control=control, weighting="run", on_failure=0.0)


def same(one: Comparison, other: Comparison, *, sign: int = 1) -> None:
    """They say the same, but for the sign; sums may be made in another order."""
    if one.difference is None or other.difference is None:
        assert one.difference is other.difference
        return
    assert one.difference.estimate == pytest.approx(sign * other.difference.estimate, abs=1e-12)
    assert one.difference.variance == pytest.approx(other.difference.variance, abs=1e-12)
    assert one.difference.df == pytest.approx(other.difference.df)
    assert (one.units, one.reason) == (other.units, other.reason)


@settings(max_examples=25)
@given(stories().flatmap(lambda things: st.tuples(st.just(things), st.permutations(things))))
def test_the_order_of_arrival_changes_nothing(
    connection: psycopg.Connection[Any], case: tuple[list[Thing], list[Thing]]
) -> None:
    """Scores may come before their run's exposure, and late ones before early ones."""
    things, shuffled = case
    one, other = tell(connection, things), tell(connection, shuffled)
    assert [(arm.epoch, arm.variant, arm.counts) for arm in one.arms] == [
        (arm.epoch, arm.variant, arm.counts) for arm in other.arms
    ]
    same(against(one), against(other))


@settings(max_examples=15)
@given(stories())
def test_what_is_known_of_single_scores_changes_nothing(
    connection: psycopg.Connection[Any], things: list[Thing]
) -> None:
    """Where no row is known to be its run's first, the latest of all are looked for."""
    known = tell(connection, things)
    name = f"experiment {next(NUMBERS) - 1}"
    connection.execute(
        "UPDATE assay.experiment_scores SET is_first = false WHERE experiment = %s", (name,)
    )
    assert told(connection, name) == known


@settings(max_examples=25)
@given(stories(), st.lists(st.tuples(st.integers(0, 9), st.integers(13 * 24, 480)), max_size=5))
def test_pending_runs_move_no_estimate(
    connection: psycopg.Connection[Any], things: list[Thing], pending: list[tuple[int, int]]
) -> None:
    """Of known units or of new ones, scored already or not: they are too young to count."""
    latest: dict[int, Served] = {}
    for one in things:
        if isinstance(one, Served) and (one.unit not in latest or one.at < latest[one.unit].at):
            latest[one.unit] = one
    more: list[Thing] = []
    for run, (unit, at) in enumerate(pending, start=1000):
        if at > latest[unit].at if unit in latest else True:
            more.append(Served(run=run, unit=unit, epoch=2, moved=False, at=at, fails=run % 2 == 0))
            more.append(Score(run=run, number=run, after=1, value=1.0))
    same(against(tell(connection, things)), against(tell(connection, [*things, *more])))


@settings(max_examples=25)
@given(stories())
def test_swapping_the_variants_flips_the_sign_alone(
    connection: psycopg.Connection[Any], things: list[Thing]
) -> None:
    """Whether their names are swapped in the rows, or in what is asked."""
    swapped: list[Thing] = [
        replace(one, unit=one.unit + 1) if isinstance(one, Served) else one for one in things
    ]
    found = tell(connection, things)
    there = against(found)
    for back in (against(found, "a", "b"), against(tell(connection, swapped))):
        same(there, back, sign=-1)
