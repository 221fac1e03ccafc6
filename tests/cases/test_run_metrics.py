"""What runs say of themselves counts for their variants without a score."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from opentelemetry import trace
from psycopg.rows import dict_row

import assay
from assay.ids import to_text
from assay.testing import Sandbox
from boxes import at_each_commit, finish, start

if TYPE_CHECKING:
    from assay.testing import Databases
    from boxes import Arm, OpenBox

pytestmark = pytest.mark.anyio
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
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


@pytest.mark.parametrize("is_before", [False, True])
async def test_a_crash_at_any_commit_leaves_one_duration(
    assay_databases: Databases, *, is_before: bool
) -> None:
    """It is written with the end of its run."""

    async def live(url: str, arm: Arm) -> None:
        async with Sandbox(sleeping(), database_url=url) as box:
            arm(box)
            run = await start(box)
            await box.advance("90s")
            await box.finished(run)
            (row,) = durations(url)
            assert row["value"] >= timedelta(seconds=90).total_seconds()

    await at_each_commit(assay_databases, live, is_before=is_before)


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


async def test_tokens_of_a_run_are_those_of_its_spans_each_once(
    open_box: OpenBox, assay_database: str
) -> None:
    """Also where spans are written again; a summary adds nothing; without any there is no row."""
    client = assay.Client("app")

    def call() -> None:
        tracer = trace.get_tracer("tests")
        with tracer.start_as_current_span(
            "agent", attributes={"gen_ai.operation.name": "invoke_agent", INPUT: 12, OUTPUT: 3}
        ):
            for given in ({INPUT: 10, OUTPUT: 2}, {OUTPUT: 1}, {"http.route": "/"}):
                with tracer.start_as_current_span("chat", attributes=given):
                    pass

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        if ctx.event.data["calls"]:
            await ctx.step.run("call", call)

    async with open_box(client) as box:
        used = await finish(box, data={"calls": True})
        await finish(box, data={"calls": False})
    with psycopg.connect(assay_database, row_factory=dict_row) as connection:
        again = (
            "SELECT assay.add_spans(1, json_agg(json_build_object('day', day, 'trace', trace,"
            " 'span', span, 'run', run_id, 'name', name, 'kind', kind, 'status', status,"
            " 'attributes', attributes, 'events', events, 'tokens', tokens,"
            " 'step', step, 'attempt', attempt, 'started', extract(epoch FROM started_at),"
            " 'ended', extract(epoch FROM ended_at)))::text) FROM assay.user_spans"
        )
        connection.execute(again)
        (row,) = connection.execute("SELECT * FROM assay.run_usage").fetchall()
    assert (to_text(row["run_id"]), row["tokens"]) == (used.id, 13)
