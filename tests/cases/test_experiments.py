"""Experiments: exposures, epochs, units, loops, nesting, forcing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

import assay
from assay.model.experiments import Declarer, Strategy, Way
from assay.store.choices import open_epoch
from assay.store.pool import Link
from assay.testing import Sandbox
from boxes import Recorder, at_each_commit, finish, start

if TYPE_CHECKING:
    from assay.sdk.experiments import Selection
    from assay.testing import Databases
    from boxes import Arm, OpenBox

pytestmark = pytest.mark.anyio


def rows(url: str, table: str = "exposures") -> list[dict[str, Any]]:
    """All rows of a table, the oldest exposure first."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        found = connection.execute(f"SELECT * FROM assay.{table}").fetchall()
    return sorted(found, key=lambda row: (row.get("run_id"), row.get("experiment"), row.get("idx")))


def choosing(select: Any, *, names: str = "ab") -> assay.Client:
    """A client whose function serves one of the variants; `select` is made from the event."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        picked = await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in names},
            select=select(ctx),
        )
        return picked.variant

    return client


async def test_an_exposure_says_who_was_served_what_with_which_probability(
    open_box: OpenBox, assay_database: str
) -> None:
    """Run, use, variant, unit, probability, epoch and the time of the choice."""
    client = choosing(lambda _: assay.bucket(42, weights={"a": 3, "b": 1}))
    async with open_box(client) as box:
        run = await finish(box)
        at = box.clock.now()
    (row,) = rows(assay_database)
    assert (row["experiment"], row["idx"], row["variant"]) == ("style", 0, run.output)
    assert (row["unit"], row["cluster"], row["epoch"]) == ("42", None, 1)
    assert row["p"] == (0.75 if run.output == "a" else 0.25)
    assert (row["forced"], row["failed_at"]) == (False, None)
    assert abs((row["at"] - at).total_seconds()) < 0.001


async def test_weighted_assigns_each_run_within_its_session(
    open_box: OpenBox, assay_database: str
) -> None:
    """The run is the unit, its first session what it belongs to."""
    client = choosing(lambda _: assay.weighted({"a": 1, "b": 1}))
    async with open_box(client) as box:
        run = await finish(box, sessions={"user": "u1", "chat": "c9"})
    (row,) = rows(assay_database)
    assert (row["unit"], row["cluster"], row["p"]) == (run.id, "chat=c9", 0.5)


@pytest.mark.parametrize("unit", [None, "", " "])
async def test_a_missing_unit_is_never_one_bucket_for_all(
    open_box: OpenBox, assay_database: str, unit: str | None
) -> None:
    """Its runs are assigned one by one, and marked as without a unit."""
    client = choosing(lambda _: assay.bucket(unit))
    async with open_box(client) as box:
        for _ in range(12):
            await finish(box)
    found = rows(assay_database)
    assert {row["variant"] for row in found} == {"a", "b"}
    assert {row["unit"] for row in found} == {None}


async def test_a_custom_choice_whose_unit_is_missing_has_none(
    open_box: OpenBox, assay_database: str
) -> None:
    """The run stands in only where no unit was ever meant."""
    halves = {"a": 0.5, "b": 0.5}
    for unit in ({"unit": None}, {}):
        client = choosing(
            lambda _, unit=unit: assay.custom(lambda: "a", probabilities=halves, **unit)
        )
        async with open_box(client) as box:
            run = await finish(box)
        assert rows(assay_database)[-1]["unit"] == (None if unit else run.id)


@pytest.mark.parametrize("unit", ["x" * 513, "a\x00", "\ud800", float("nan"), ["u"]])
def test_what_can_be_no_unit_is_refused_where_it_is_written(unit: Any) -> None:
    """Indexes hold short texts alone."""
    for choose in (assay.bucket, lambda unit: assay.custom(str, unit=unit)):
        with pytest.raises(assay.AssayError) as refused:
            choose(unit)
        assert refused.value.code == "experiment_unit"


async def test_a_custom_choice_is_made_once(open_box: OpenBox, assay_database: str) -> None:
    """Its code is a step; without probabilities nobody knows them."""
    done = Recorder()

    def pick() -> str:
        return done.note("b")

    client = choosing(lambda _: assay.custom(pick))
    async with open_box(client) as box:
        box.crash_after(commit=1)
        assert (await finish(box)).output == "b"
    assert done == ["b"]
    (row,) = rows(assay_database)
    assert (row["variant"], row["p"]) == ("b", None)


async def test_declared_probabilities_of_a_custom_choice_are_kept(
    open_box: OpenBox, assay_database: str
) -> None:
    """They are what its analysis weighs by."""

    async def pick() -> str:
        return "a"

    client = choosing(lambda _: assay.custom(pick, probabilities={"a": 0.9, "b": 0.1}, unit="acct"))
    async with open_box(client) as box:
        await finish(box)
    (row,) = rows(assay_database)
    assert (row["p"], row["unit"]) == (0.9, "acct")
    (epoch,) = rows(assay_database, "experiment_epochs")
    assert (epoch["strategy"], epoch["weights"]) == ("custom", {"a": 0.9, "b": 0.1})


@pytest.mark.parametrize("is_before", [False, True])
async def test_a_crash_at_any_commit_leaves_one_exposure(
    assay_databases: Databases, *, is_before: bool
) -> None:
    """It is written with the journal's entry of the choice, and the choice stands."""
    client = choosing(lambda ctx: assay.bucket(ctx.event.data["unit"]))

    async def live(url: str, arm: Arm) -> None:
        async with Sandbox(client, database_url=url) as box:
            arm(box)
            run = await finish(box, data={"unit": "acct_1"})
            (row,) = rows(url)
            assert row["variant"] == run.output

    await at_each_commit(assay_databases, live, is_before=is_before)


async def test_a_failed_run_says_so_on_its_exposures(
    open_box: OpenBox, assay_database: str
) -> None:
    """What has no score because its run failed is told from what nobody answered."""
    client = assay.Client("app")

    @client.function("f", on="go", retries=0)
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style", variants={"a": lambda: ctx.step.run("work", int, "x")}, select=assay.fixed("a")
        )

    async with open_box(client) as box:
        run = await finish(box)
    (row,) = rows(assay_database)
    assert row["failed_at"] == run.ended_at


async def test_a_change_of_weights_opens_an_epoch(open_box: OpenBox, assay_database: str) -> None:
    """And one back opens a third; the same ratios in another order or scale open none."""
    ways: list[Any] = [
        {"a": 1, "b": 1},
        {"b": 50, "a": 50},
        {"a": 80, "b": 20},
        {"a": 1, "b": 1},
    ]
    start_at = None
    for weights in ways:

        def select(_: object, weights: Any = weights) -> Selection:
            return assay.bucket("u", weights=weights)

        async with open_box(choosing(select), start=start_at) as box:
            await finish(box)
            await box.advance("1h")
            start_at = box.clock.now()
    assert [row["epoch"] for row in rows(assay_database)] == [1, 1, 2, 3]
    epochs = sorted(rows(assay_database, "experiment_epochs"), key=lambda row: row["epoch"])
    assert [row["weights"]["a"] for row in epochs] == [1, 80, 1]
    assert epochs[0]["opened_at"] < epochs[1]["opened_at"] < epochs[2]["opened_at"]


async def test_each_use_in_a_loop_is_an_exposure_of_the_same_experiment(
    open_box: OpenBox, assay_database: str
) -> None:
    """Its ref names the use; a step of the same id is no use."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[int]:
        await ctx.step.run("style", len, "")
        refs = []
        for turn in range(3):
            picked = await ctx.experiment(
                "style",
                variants={"a": lambda: ctx.step.run("work", len, "x")},
                select=assay.bucket(turn),
            )
            refs.append(picked.ref.index)
            await ctx.step.sleep("nap", "1m")
        return refs

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("3m")
        assert (await box.finished(run)).output == [0, 1, 2]
    assert [(row["idx"], row["unit"]) for row in rows(assay_database)] == [
        (0, "0"),
        (1, "1"),
        (2, "2"),
    ]


async def test_a_run_that_serves_several_units_counts_once_for_each(
    open_box: OpenBox,
) -> None:
    """An answer of every second one is missing; half of the runs fail in the end."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for turn, unit in enumerate(ctx.event.data["units"]):
            picked = await ctx.experiment(
                "style",
                variants={"a": lambda: ctx.step.run("work", len, "x")},
                select=assay.bucket(unit),
            )
            if turn % 2 == 0:
                await client.score_experiment("q", value=True, experiment=picked.ref)
        if ctx.event.data["fails"]:
            raise assay.NonRetriableError("no")

    async with open_box(client) as box:
        await start(box, data={"units": ["u", "u", "v", "w"], "fails": False})
        await start(box, data={"units": ["u", "x", "x", "v"], "fails": True})
        await box.advance("8d")
        results = await box.get("experiments/style/results")
        (arm,) = results["metrics"][0]["arms"]
    tally = {name: arm["tally"][name] for name in ("units", "mature", "scored", "failed")}
    assert tally == {"units": 4, "mature": 6, "scored": 4, "failed": 1}
    assert arm["tally"]["no_response"] == 1


async def test_an_experiment_in_a_variant_keeps_both_exposures(
    open_box: OpenBox, assay_database: str
) -> None:
    """A run may carry several experiments, side by side or one in the other."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        def inner() -> Any:
            return ctx.experiment(
                "inner",
                variants={"x": lambda: ctx.step.run("work", len, "x")},
                select=assay.fixed("x"),
            )

        outer, beside = await ctx.parallel(
            ctx.experiment("outer", variants={"a": inner}, select=assay.fixed("a")),
            ctx.experiment(
                "beside",
                variants={"y": lambda: ctx.step.run("other", len, "y")},
                select=assay.fixed("y"),
            ),
        )
        return f"{outer.variant}{outer.result.variant}{beside.variant}"

    async with open_box(client) as box:
        assert (await finish(box)).output == "axy"
    assert {(row["experiment"], row["variant"]) for row in rows(assay_database)} == {
        ("outer", "a"),
        ("inner", "x"),
        ("beside", "y"),
    }


async def test_a_forced_variant_is_served_and_flagged(
    open_box: OpenBox, assay_database: str
) -> None:
    """For trying out: without a probability, and not in the place of a custom choice's code."""
    asked = Recorder()
    client = choosing(lambda _: assay.custom(lambda: asked.note("a")))
    async with open_box(client) as box:
        run = await finish(box, force={"style": "b", "another": "x"})
        assert run.output == "b"
    (row,) = rows(assay_database)
    assert (row["forced"], row["variant"], row["p"]) == (True, "b", None)
    assert asked == []


async def test_what_is_forced_is_not_counted_as_without_a_unit_too(open_box: OpenBox) -> None:
    """Each exposure that is left out has one reason."""
    client = choosing(lambda _: assay.bucket(None))
    async with open_box(client) as box:
        await finish(box)
        await finish(box, force={"style": "b"})
        await box.advance("1h")
        results = await box.get("experiments/style/results")
    assert (results["forced"], results["without_unit"]) == (1, 1)


async def test_a_force_that_names_another_experiment_is_told(open_box: OpenBox) -> None:
    """With a misspelt name who tries a variant out is served by chance, and counts."""
    async with open_box(choosing(lambda _: assay.bucket("u"))) as box:
        assert (await finish(box)).warnings == []
        run = await finish(box, force={"stlye": "b"})
    assert run.warnings == ["the event forces 'stlye', and not 'style', for which this run counts"]


async def test_forcing_a_variant_that_is_none_fails_the_run(open_box: OpenBox) -> None:
    """Rather than to serve another in its place."""
    async with open_box(choosing(lambda _: assay.bucket("u"))) as box:
        run = await finish(box, force={"style": "z"})
    assert run.error is not None
    assert run.error.code == "unknown_variant"


@pytest.mark.parametrize("force", [{"style": 1}, {"": "a"}, ["style"], {"style": "x" * 129}])
def test_what_force_may_not_be(force: Any) -> None:
    """It names a variant for each experiment."""
    with pytest.raises(assay.AssayError) as refused:
        assay.Event("go", {}, force=force)
    assert refused.value.code == "event_force"


async def test_sync_functions_choose_too(open_box: OpenBox, assay_database: str) -> None:
    """Their variants are called in the body's thread."""
    client = assay.Client("app")

    @client.function("f", on="go")
    def f(ctx: assay.SyncContext) -> tuple[int, str]:
        picked = ctx.experiment(
            "style",
            variants={"a": lambda: ctx.step.run("work", len, "four")},
            select=assay.weighted({"a": 1}),
        )
        return picked.result, picked.variant

    async with open_box(client) as box:
        assert (await finish(box)).output == [4, "a"]
    (row,) = rows(assay_database)
    assert row["p"] == 1


async def test_workers_that_meet_a_new_way_at_once_open_one_epoch(assay_database: str) -> None:
    """Whoever comes second finds the first one's."""
    way = Way(
        strategy=Strategy.BUCKET,
        variants=("a", "b"),
        weights={"a": 1, "b": 1},
        salt="",
        unit_kind="bucket",
        is_sticky=False,
    )
    links = [Link(assay_database) for _ in range(8)]
    connections = [await link.get() for link in links]
    opening = [
        open_epoch(
            connection,
            way,
            project=1,
            experiment="style",
            by=Declarer(app="app", version="1", worker="host:1"),
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for connection in connections
    ]
    epochs = await asyncio.gather(*opening)
    for link in links:
        await link.close()
    assert epochs == [1] * 8
    assert len(rows(assay_database, "experiment_epochs")) == 1
