"""What runs say of themselves counts for their variants without a score."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

import assay
from boxes import finish, start

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio
DURATIONS = (
    "SELECT * FROM assay.experiment_scores WHERE metric = 'run.duration' ORDER BY run_id, idx"
)


def durations(url: str) -> list[dict[str, Any]]:
    """What counts, by run and use."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(DURATIONS).fetchall()


def sleeping(*, uses: str = "a", fails: bool = False) -> assay.Client:
    """A client whose function serves these variants one after the other, sleeps and ends."""
    client = assay.Client("app")

    @client.function("f", on="go", retries=0)
    async def f(ctx: assay.Context) -> None:
        for variant in uses:
            await ctx.experiment(
                "style",
                variants={name: lambda: ctx.step.run("work", len, "x") for name in "ab"},
                select=assay.custom(partial(str, variant), unit="acct"),
            )
        await ctx.step.sleep("nap", "90s")
        if fails:
            raise RuntimeError

    return client


@pytest.mark.parametrize("fails", [False, True])
async def test_a_run_counts_with_its_duration_at_its_end(
    open_box: OpenBox, assay_database: str, *, fails: bool
) -> None:
    """In seconds, with what it waited for, whether it completed or failed."""
    async with open_box(sleeping(fails=fails)) as box:
        run = await start(box)
        await box.advance("90s")
        ended = await box.finished(run)
    (row,) = durations(assay_database)
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert row["value"] == pytest.approx((ended.ended_at - ended.started_at).total_seconds())
    assert row["value"] >= timedelta(seconds=90).total_seconds()
    assert (row["at"], row["recorded_at"]) == (ended.ended_at, ended.ended_at)
    assert (row["variant"], row["unit"], row["epoch"]) == ("a", "acct", 1)


@pytest.mark.parametrize("crash", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
async def test_a_crash_at_any_commit_leaves_one_duration(
    open_box: OpenBox, assay_database: str, crash: str, commit: int
) -> None:
    """It is written with the end of its run."""
    async with open_box(sleeping()) as box:
        (box.crash_after if crash == "after" else box.crash_before)(commit=commit)
        run = await start(box)
        await box.advance("90s")
        await box.finished(run)
    (row,) = durations(assay_database)
    assert row["value"] >= timedelta(seconds=90).total_seconds()


async def test_each_use_counts_where_they_agree(open_box: OpenBox, assay_database: str) -> None:
    """As with any score about a run: served two variants, its duration is that of neither."""
    async with open_box(sleeping(uses="aa")) as box:
        run = await start(box)
        await box.advance("90s")
        await box.finished(run)
    assert [row["idx"] for row in durations(assay_database)] == [0, 1]
    async with open_box(sleeping(uses="ab")) as box:
        run = await start(box)
        await box.advance("90s")
        await box.finished(run)
    assert len(durations(assay_database)) == 2


async def test_a_cancelled_run_has_no_duration(open_box: OpenBox, assay_database: str) -> None:
    """Nor has one that was forced a unit that would enter the analysis."""
    client = sleeping()
    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        await client.cancel(run)
        assert (await box.finished(run)).status == "cancelled"
        forced = await start(box, force={"style": "b"})
        await box.advance("90s")
        await box.finished(forced)
    (row,) = durations(assay_database)
    assert (row["variant"], row["unit"]) == ("b", None)


async def test_no_score_takes_the_name_of_what_runs_say(open_box: OpenBox) -> None:
    """Not from a step, and not from a scorer's declaration."""
    client = assay.Client("app")

    @client.function("f", on="go", retries=0)
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("tell", name="run.duration", value=1)

    async with open_box(client) as box:
        run = await finish(box)
    assert run.error is not None
    assert run.error.code == "score_name"

    async def judge(ctx: assay.ScorerContext[Any]) -> float:
        return float(ctx.data["tokens"])

    with pytest.raises(assay.AssayError) as refused:
        client.scorer("judge", scores="run.tokens")(judge)
    assert refused.value.code == "score_name"
