"""Experiments with every oddity at once: the tables say what is worked out unit by unit."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from uuid import UUID

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import experiment_by_hand as by_hand
from assay.experiments import tallies
from assay.experiments.comparison import Comparison, bound, compare
from assay.model.moments import RUN_FAILURE, Counting
from assay.model.results import Counted
from assay.store import experiments
from assay.store.experiments import UnitFilter
from assay.store.moments import moments, of_units
from assay.store.pool import ReadPool
from experiment_by_hand import Given, Rules, Served, Unit
from experiment_rows import PROJECT, TAKE_OVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.experiments.comparison import Weighting
    from assay.model.moments import Moments
    from assay.store.pages import Reading
    from assay.testing import Databases

T = TypeVar("T")
BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 14
TICK = timedelta(minutes=30)
NAME = "style"
METRICS = ("good", RUN_FAILURE)
EXPOSE = (
    "INSERT INTO assay.exposures (project_id, experiment, run_id, idx, variant, unit, cluster, p,"
    " epoch, forced, at, failed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, 0.5, %s, %s, %s, %s)"
)
EPOCH = (
    "INSERT INTO assay.experiment_epochs (project_id, experiment, epoch, fingerprint, strategy,"
    " variants, weights, salt, unit_kind, sticky, app, opened_at)"
    " VALUES (%s, %s, 1, '', 'bucket', '{a,b}', '{}', '', %s, false, 'app', %s)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An experiment: what was served, what was scored, and how it is read."""

    served: list[Served]
    given: list[Given]
    rules: Rules
    arms: str
    is_by_run: bool
    on_failure: float | None


def pick(chance: np.random.Generator, options: Sequence[T]) -> T:
    """One of them."""
    return options[int(chance.integers(len(options)))]


def story(chance: np.random.Generator) -> Story:
    """Arms, epochs, loops, moved and crossed runs, scores of any time; or runs as units."""
    maturity = timedelta(days=pick(chance, [1, 3, 7]))
    is_by_run = chance.random() < 0.25
    made = Story(
        served=[],
        given=[],
        rules=Rules(
            cutoff=BEGUN + timedelta(days=DAYS, hours=int(chance.integers(3))),
            maturity=maturity,
            since=BEGUN + timedelta(days=pick(chance, [-1, -1, 3])),
            sticky=not is_by_run and chance.random() < 0.3,
        ),
        arms=pick(chance, ["ab", "abc"]),
        is_by_run=is_by_run,
        on_failure=pick(chance, [None, 0.0, 1.0]),
    )
    epochs = pick(chance, [1, 2, 3])
    loops = pick(chance, [[1], [1, 1, 2, 3]])
    for _ in range(pick(chance, [20, 60, 150])):
        at = BEGUN + int(chance.integers((DAYS + 2) * 48)) * TICK
        run = UUID(bytes=chance.bytes(16))
        epoch = min(epochs, 1 + (at - BEGUN).days * epochs // DAYS)
        uses = _uses(chance, made, run, at, epoch, pick(chance, loops))
        made.served.extend(uses)
        made.given.extend(_scores(chance, uses, maturity))
    return made


def _uses(
    chance: np.random.Generator, made: Story, run: UUID, at: datetime, epoch: int, times: int
) -> list[Served]:
    forced = chance.random() < 0.05
    after = pick(chance, [TICK, made.rules.maturity, made.rules.maturity + TICK])
    failed_at = at + after if chance.random() < 0.25 else None
    session = f"s{chance.integers(8)}" if made.is_by_run and chance.random() < 0.8 else None
    account, alike = int(30 * chance.random() ** 2), pick(chance, made.arms)
    uses: list[Served] = []
    for index in range(times):
        if chance.random() < 0.1:
            account = int(chance.integers(30))
        unit: str | None = f"u{account}"
        # A change of weights moves some accounts.
        variant = pick(np.random.default_rng([account, max(1, epoch - 1)]), made.arms)
        if chance.random() < 0.05:
            variant = pick(chance, made.arms)
        if chance.random() < 0.05:
            unit = None
        if made.is_by_run:
            unit, variant = str(run), alike
        uses.append(
            Served(
                run=run,
                index=index,
                variant=variant,
                unit=unit,
                session=session,
                epoch=epoch,
                forced=forced,
                at=at + index * TICK,
                failed_at=failed_at,
            )
        )
    return uses


def _scores(
    chance: np.random.Generator, uses: list[Served], maturity: timedelta
) -> Iterator[Given]:
    for _ in range(pick(chance, [0, 1, 1, 2, 3])):
        about = pick(chance, uses)
        after = pick(chance, [-TICK, 0 * TICK, TICK, 2 * TICK, maturity, maturity + TICK])
        names = about.index, about.variant if chance.random() < 0.9 else "unserved"
        yield Given(
            run=about.run,
            id=UUID(bytes=chance.bytes(16)),
            value=float(chance.random() < 0.5),
            at=uses[0].at + after,
            recorded_at=uses[0].at + after + pick(chance, [TICK, maturity]),
            names=names if chance.random() < 0.4 else None,
        )


def write(connection: psycopg.Connection[Any], made: Story, chance: np.random.Generator) -> None:
    """Tell it in any order of arrival, by what runs and scores are written with."""
    things: list[Served | Given] = [*made.served, *made.given]
    things = [things[place] for place in chance.permutation(len(things))]
    kind = "run" if made.is_by_run else "bucket"
    connection.execute(EPOCH, (PROJECT, NAME, kind, BEGUN))
    for one in things:
        if isinstance(one, Served):
            row = (PROJECT, NAME, one.run, one.index, one.variant, one.unit, one.session)
            connection.execute(EXPOSE, (*row, one.epoch, one.forced, one.at, one.failed_at))
            connection.execute(TAKE_OVER, (PROJECT, [NAME], [one.run], [one.index]))
        else:
            index, variant = one.names or (None, None)
            score = {
                "id": str(one.id),
                "subject": "run",
                "run": str(one.run),
                "step": "",
                "idx": 0,
                "name": "good",
                "value": one.value,
                "is_bool": True,
                "at": one.at.timestamp(),
                "source": "api",
                "ref_experiment": None if variant is None else NAME,
                "ref_variant": variant,
                "ref_idx": index,
            }
            recorded = one.recorded_at.timestamp()
            connection.execute(
                "SELECT assay.record_scores(%s, %s, %s, NULL)",
                (PROJECT, recorded, json.dumps([score])),
            )


async def read(url: str, rules: Rules) -> Moments:
    """The moments that the tables give; those of units, page by page, sum to them."""
    pool = ReadPool(url, size=1)
    counting = Counting(
        project=PROJECT,
        experiment=NAME,
        cutoff=rules.cutoff,
        maturity=rules.maturity,
        since=rules.since,
        sticky=rules.sticky,
    )
    async with pool.reading(PROJECT) as cursor:
        found = await moments(cursor, counting, metrics=METRICS)
        for metric in METRICS:
            sums, arms = await paged(cursor, metric, counting), summed(found[metric])
            assert sums.keys() == arms.keys()
            for variant, arm in arms.items():
                assert sums[variant] == pytest.approx(arm, abs=1e-9)
        for variant, arm in summed(found["good"]).items():
            for having in get_args(Counted):
                n = await behind(cursor, counting, having, metric="good", variant=variant)
                assert n == told(arm, having), having
    await pool.close()
    return found["good"]


def told(arm: Counter[str], having: Counted) -> float:
    """A count as results tell it."""
    if having == "pending":
        return arm["exposed"] - arm["mature"]
    return arm["mature"] - arm["scored"] - arm["failed"] if having == "no_response" else arm[having]


async def behind(
    cursor: Reading, counting: Counting, having: Counted, *, metric: str, variant: str
) -> float:
    """The sum of a count over the units that alone are listed for it, page by page."""
    n, after, units = 0.0, None, set[str]()
    while True:
        page = await tallies.page(
            cursor,
            counting,
            metric=metric,
            having=having,
            filter_=UnitFilter(variant=variant),
            limit=4,
            after=after,
            patience=8,
        )
        for one in page.items:
            assert one.tally is not None
            assert one.unit.unit not in units
            units.add(one.unit.unit)
            assert getattr(one.tally, having) > 0
            n += getattr(one.tally, having)
        after = page.next
        if after is None:
            return n


async def paged(cursor: Reading, metric: str, counting: Counting) -> dict[str, Counter[str]]:
    """The counts of all pages of units by what they were served first, and their totals."""
    sums: dict[str, Counter[str]] = {}
    after: str | None = None
    while True:
        page = await experiments.units(
            cursor, project=PROJECT, experiment=NAME, limit=7, before=counting.cutoff, after=after
        )
        units = [one.unit for one in page.items]
        found = await of_units(cursor, counting, metric=metric, units=units)
        for one in page.items:
            if one.unit in found:
                unit = found[one.unit]
                total = (unit.mean or 0) * unit.counts.scored
                counts = asdict(unit.counts) | {"total": total}
                sums.setdefault(one.variant, Counter()).update(counts)
        after = page.next
        if after is None:
            return sums


def summed(found: Moments) -> dict[str, Counter[str]]:
    """The counts of arms over all epochs, and the totals of their values."""
    sums: dict[str, Counter[str]] = {}
    for arm in found.arms:
        counts = asdict(arm.counts) | {"total": arm.by_run.y}
        sums.setdefault(arm.variant, Counter()).update(counts)
    return sums


@pytest.fixture(scope="module")
def url(assay_databases: Databases) -> Iterator[str]:
    """Of a database that all examples share."""
    with assay_databases.new() as made:
        yield made


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_the_tables_say_what_is_worked_out_by_hand(url: str, seed: int) -> None:
    """Counts of each arm and its units, each comparison: estimate, error, freedom, units."""
    chance = np.random.default_rng(seed)
    made = story(chance)
    with psycopg.connect(url) as connection:
        for table in ("exposures", "experiment_scores", "experiment_epochs", "score_references",
                      "scores", "scores_latest"):  # fmt: skip
            connection.execute(f"DELETE FROM assay.{table}".encode())
        write(connection, made, chance)
    found = asyncio.run(read(url, made.rules))
    units = by_hand.units(made.served, made.given, made.rules)

    counts = _counted(units)
    for arm in found.arms:
        wanted = counts.pop((arm.epoch, arm.variant))
        assert {name: getattr(arm.counts, name) for name in wanted} == wanted
    assert not counts
    if made.is_by_run:
        units = by_hand.sessions(units)
    for variant in made.arms[1:]:
        _compared(found, units, variant, made.on_failure)


def _counted(units: list[Unit]) -> dict[tuple[int, str], dict[str, int]]:
    names = set(Unit.__slots__) - {"epoch", "variant", "cluster", "total"}
    sums: dict[tuple[int, str], Counter[str]] = {}
    for unit in units:
        counter = sums.setdefault((unit.epoch, unit.variant), Counter())
        counter.update({name: getattr(unit, name) for name in names})
    return {key: {name: counter[name] for name in names} for key, counter in sums.items()}


def _compared(found: Moments, units: list[Unit], variant: str, on_failure: float | None) -> None:
    readings: dict[Weighting, by_hand.Reading] = {
        "run": by_hand.by_run(on_failure),
        "unit": by_hand.by_unit(),
        "coverage": by_hand.coverage(),
    }
    for weighting, reading in readings.items():
        same(
            compare(
                found, variant=variant, control="a", weighting=weighting, on_failure=on_failure
            ),
            by_hand.beside(units, variant, "a", reading),
        )
    for silent in ((0.0, 1.0), (1.0, 0.0)):
        supposed = {"a": silent[0], variant: silent[1]}
        same(
            bound(found, variant=variant, control="a", silent=silent, on_failure=on_failure),
            by_hand.beside(units, variant, "a", by_hand.supposing(supposed, on_failure)),
        )


def same(one: Comparison, other: by_hand.Beside) -> None:
    """They say the same, but for rounding."""
    assert list(one.epochs_left_out) == other.left_out
    assert (one.difference is None) is (other.estimate is None)
    if one.difference is None:
        return
    assert one.difference.estimate == pytest.approx(other.estimate, abs=1e-12)
    assert one.difference.variance == pytest.approx(other.variance, rel=1e-9, abs=1e-15)
    if other.variance > 1e-12 and math.isfinite(other.df):
        assert one.difference.df == pytest.approx(other.df)
    assert one.units == other.units
