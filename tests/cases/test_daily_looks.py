"""Looks at a published experiment as the engine takes them: daily, once, in order, as rows."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from assay.clock import ManualClock
from assay.engine.looking import Looking
from assay.experiments import reading
from assay.experiments.verdict import standing
from assay.model.experiments import Mode, Plan
from assay.model.looks import Word
from assay.stats import anytime
from assay.store import choices, looks
from assay.store.pool import connect
from experiment_rows import EPOCH, PROJECT, instant
from published_experiment import BY, CASE, LAST, NAME, load, plan, take

if TYPE_CHECKING:
    from assay.model.results import Results

ANYTIME = (Mode.ANYTIME, "concise")
EXPECTED = CASE["expected"][-1]["variants"]["concise"]


def stored(url: str, *, version: int = 1) -> list[looks.LookRecord]:
    """The looks as they are stored."""

    async def read() -> list[looks.LookRecord]:
        async with (
            await connect(url) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return await looks.all_of(cursor, project=PROJECT, experiment=NAME, version=version)

    return asyncio.run(read())


@pytest.mark.parametrize("mode", Mode)
def test_the_stored_looks_are_the_published_ones(assay_database: str, mode: Mode) -> None:
    """Days without a look are caught up in order; numbers and the day of the verdict agree."""
    load(assay_database, plan())
    take(assay_database, LAST + timedelta(hours=1))

    found = [one.look for one in stored(assay_database) if one.mode is mode]
    published = EXPECTED[mode.value]
    wanted = published["looks"]
    assert [look.cutoff for look in found] == [instant(one["cutoff"]) for one in wanted]
    assert [look.tested for look in found] == [one["tested"] for one in wanted]
    for look, one in zip(found, wanted, strict=True):
        if look.tested:
            near = [look.estimate, look.se, look.df, *(look.ci or ())]
            assert near == pytest.approx([one["estimate"], one["se"], one["df"], *one["ci"]])
    crossing = next(look for look in found if look.ci is not None and look.ci[0] > 0)
    assert crossing.cutoff == instant(published["verdict"]["cutoff"])


def test_a_crossing_is_a_verdict_only_while_silence_is_alike(assay_database: str) -> None:
    """The variant's accounts answer less: from the second crossing on by more than chance does."""
    load(assay_database, plan())
    take(assay_database, LAST + timedelta(hours=1))

    of_mode = {
        mode: [one.look for one in stored(assay_database) if one.mode is mode] for mode in Mode
    }
    verdict = standing(of_mode[Mode.PLANNED])
    assert (verdict.word, verdict.is_decided) == (Word.BETTER, True)
    assert verdict.look is not None
    assert verdict.look.cutoff == instant(EXPECTED["planned"]["verdict"]["cutoff"])
    open_ended = standing(of_mode[Mode.ANYTIME])
    assert (open_ended.word, open_ended.is_decided) == (Word.INVALID, False)
    assert open_ended.reason == "answered 57% of 'concise' and 79% of 'detailed'"


def test_looks_of_one_day_after_the_other_are_those_caught_up_at_once(assay_database: str) -> None:
    """Each day's look sees what was stored by then, and never changes."""
    load(assay_database, plan())
    begun = instant(CASE["epochs"][0]["from"])
    taken = [
        sum(take(assay_database, begun + timedelta(days=day, hours=1)))
        for day in range(1, (LAST - begun).days + 1)
    ]
    assert taken == [2] * len(taken)
    planned = [one.look.boundary for one in stored(assay_database) if one.mode is Mode.PLANNED]
    wanted = [one.get("boundary") for one in EXPECTED["planned"]["looks"]]
    assert planned == pytest.approx(wanted)


def test_nothing_is_tested_beside_another_control_than_the_plans(assay_database: str) -> None:
    """Else the looks before that one is served, and those after, would be of two comparisons."""
    load(assay_database, plan(control="terse"))
    take(assay_database, LAST + timedelta(hours=1))
    found = [one.look for one in stored(assay_database)]
    assert {(look.tested, look.reason) for look in found} == {
        (False, "the plan's control 'terse' was not served yet")
    }
    finals = [look for look in found if look.time == 1]
    assert [look.word for look in finals if look.word is not None] == [Word.NOT_SHOWN]


def with_a_third(url: str, **changes: Any) -> datetime:
    """The published case, whose code has another variant once half of the time has gone: when."""
    load(url, plan(**changes))
    came = instant(CASE["epochs"][0]["from"]) + timedelta(days=20)
    weights = {"detailed": 1, "concise": 1, "third": 1}
    values = (PROJECT, NAME, 2, "2", list(weights), json.dumps(weights), "", False, came)
    with psycopg.connect(url) as connection:
        connection.execute(EPOCH, values)
    take(url, LAST + timedelta(hours=1))
    return came


def test_a_look_that_is_caught_up_knows_no_later_variant(assay_database: str) -> None:
    """Until the third one came, the other had all of alpha."""
    came = with_a_third(assay_database)
    found = stored(assay_database)
    assert {one.look.cutoff > came for one in found if one.variant == "third"} == {True}
    before = [one.look for one in found if one.look.cutoff <= came and one.look.tested]
    after = [one.look for one in found if one.look.cutoff > came and one.look.tested]
    assert {look.alpha for look in before} == {0.05}
    assert 0.025 in {look.alpha for look in after}


def test_a_variant_that_comes_later_changes_no_mixture_of_the_others(assay_database: str) -> None:
    """Each is tuned by the plan and the variants that there were at its first look, for good."""
    with_a_third(assay_database)
    found = stored(assay_database)
    units, alpha = CASE["plan"]["units"], CASE["plan"]["alpha"]
    assert {(one.variant, one.look.g) for one in found} == {
        ("concise", anytime.tuning(units * 2 / 2, alpha)),
        ("third", anytime.tuning(units * 2 / 3, alpha)),
    }
    last = [one for one in found if (one.mode, one.variant) == ANYTIME][-1].look
    assert last.estimate is not None
    assert last.se is not None
    assert last.df is not None
    evidence = anytime.log_e(
        last.estimate / last.se,
        df=last.df,
        units=last.n_units,
        g=anytime.tuning(units * 2 / 2, alpha),
    )
    assert last.log_e == pytest.approx(evidence)


@pytest.mark.parametrize("mode", Mode)
def test_results_reach_as_far_as_the_look_of_that_instant(assay_database: str, mode: Mode) -> None:
    """With a variant that came later too: what was chosen at the first look is read, not redone."""
    with_a_third(assay_database, alpha=1e-4, mode=mode)
    seen = [
        one.look
        for one in stored(assay_database)
        if (one.mode, one.variant) == (mode, "concise") and one.look.tested and one.look.time != 1
    ][-1]

    async def read() -> Results:
        async with (
            await connect(assay_database) as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return await reading.results(
                cursor, project=PROJECT, experiment=NAME, now=seen.cutoff, cutoff=seen.cutoff
            )

    (told,) = [one for one in asyncio.run(read()).metrics[0].variants if one.variant == "concise"]
    assert seen.alpha == pytest.approx(5e-5)
    assert told.difference.ci == pytest.approx(seen.ci)


def test_the_end_of_a_plan_is_looked_at_though_nobody_came_for_long(assay_database: str) -> None:
    """The last runs were long before; what is left of alpha is spent at the end all the same."""
    days = (LAST - instant(CASE["epochs"][0]["from"])).days + 10
    load(assay_database, plan(days=days, alpha=1e-6))
    take(assay_database, LAST + timedelta(days=20))

    last = [one.look for one in stored(assay_database) if one.mode is Mode.PLANNED][-1]
    assert last.cutoff == LAST + timedelta(days=10)
    assert (last.tested, last.time, last.word) == (True, 1.0, Word.NOT_SHOWN)


def test_no_look_is_taken_within_an_hour_of_its_cutoff(assay_database: str) -> None:
    """What came shortly before may still be on its way."""
    load(assay_database, plan())
    day = instant(CASE["epochs"][0]["from"]) + timedelta(days=1)
    assert take(assay_database, day + timedelta(minutes=59)) == [0]
    assert take(assay_database, day + timedelta(minutes=60)) == [2]


def test_processes_that_look_at_once_take_each_look_once(assay_database: str) -> None:
    """One looks, the others leave it to it."""
    load(assay_database, plan())
    taken = take(assay_database, LAST + timedelta(hours=1), times=4)
    assert sum(taken) == len(stored(assay_database))
    assert taken.count(0) >= 3


def test_a_changed_plan_begins_anew(assay_database: str) -> None:
    """Only units that are first exposed after it count, with looks of their own."""
    begun = instant(CASE["epochs"][0]["from"])
    middle = begun + (LAST - begun) / 2
    load(assay_database, plan())
    take(assay_database, LAST + timedelta(hours=1))
    load_plan(assay_database, plan(alpha=0.01), middle)
    take(assay_database, LAST + timedelta(hours=1))

    first, second = stored(assay_database), stored(assay_database, version=2)
    assert min(one.look.cutoff for one in second) > middle
    units = [max(one.look.n_units for one in version) for version in (first, second)]
    assert 0 < units[1] < units[0]


def test_what_was_seen_before_a_plan_cannot_decide(assay_database: str) -> None:
    """A first plan, too, counts only units that are first exposed after it."""
    begun = instant(CASE["epochs"][0]["from"])
    middle = begun + (LAST - begun) / 2
    load(assay_database, plan(), declared=middle)
    take(assay_database, LAST + timedelta(hours=1))

    taken = stored(assay_database)
    assert min(one.look.cutoff for one in taken) > middle
    assert 0 < max(one.look.n_units for one in taken) < EXPECTED["anytime_now"]["n"]


def test_a_unit_that_is_exposed_at_the_instant_of_the_plan_counts(assay_database: str) -> None:
    """It was not seen before."""
    served = [one for one in CASE["exposures"] if one["unit"] and not one["forced"]]
    load(assay_database, plan(), declared=min(instant(one["at"]) for one in served))
    take(assay_database, LAST + timedelta(hours=1))
    assert stored(assay_database)[-1].look.n_units == EXPECTED["anytime_now"]["n"]


def load_plan(url: str, changed: Plan, at: datetime) -> None:
    """Declare another version."""

    async def declare() -> int:
        async with await connect(url) as connection:
            return await choices.declare_plan(
                connection, changed, project=PROJECT, experiment=NAME, by=BY, now=at
            )

    assert asyncio.run(declare()) == 2


def test_a_plan_that_did_not_change_is_no_new_version(assay_database: str) -> None:
    """Every worker declares it when it starts."""
    load(assay_database, plan(), plan(), plan())
    with psycopg.connect(assay_database) as connection:
        found = connection.execute("SELECT version FROM assay.experiment_plans").fetchall()
    assert found == [(1,)]


def test_a_plan_that_changed_before_anybody_was_exposed_is_replaced(assay_database: str) -> None:
    """Nothing was seen by it."""

    async def declare() -> list[int]:
        async with await connect(assay_database) as connection:
            return [
                await choices.declare_plan(
                    connection, one, project=PROJECT, experiment="new", by=BY, now=LAST
                )
                for one in (plan(), plan(alpha=0.01))
            ]

    assert asyncio.run(declare()) == [1, 1]


def test_a_worker_looks_at_what_is_due_and_passes_over_what_it_cannot(
    assay_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A plan that nobody can read costs the other experiments nothing."""
    load(assay_database, plan())
    with psycopg.connect(assay_database) as connection:
        connection.execute(
            "INSERT INTO assay.experiments (project_id, name, first_seen) VALUES (1, 'a', now())"
        )
        connection.execute(
            "INSERT INTO assay.experiment_plans"
            " (project_id, experiment, version, spec, declared_at)"
            " VALUES (1, 'a', 1, '{}', now())"
        )

    async def take_twice() -> list[int]:
        looking = Looking(
            lambda: connect(assay_database),
            project=PROJECT,
            clock=ManualClock(LAST + timedelta(hours=1)),
        )
        return [await looking.take(), await looking.take()]

    first, second = asyncio.run(take_twice())
    assert (first, second) == (len(stored(assay_database)), 0)
    assert "experiment 'a' can't be looked at" in caplog.text
