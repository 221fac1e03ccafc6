"""Scores that a run gives about other runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import assay
from boxes import finish, states

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


async def test_a_score_for_a_run_that_is_not_there_fails_its_step(open_box: OpenBox) -> None:
    """Nothing is recorded, and the body learns of it."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.score("s", name="quality", value=1, run_id=UNKNOWN)
        except assay.StepError as error:
            return error.code
        return "recorded"

    async with open_box(client) as box:
        run = await finish(box)
        assert run.output == "run_not_found"
        assert run.scores == []


async def test_a_run_scores_another_that_is_there(open_box: OpenBox) -> None:
    """Once, on the run that it names."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="quality", value=True, run_id=ctx.event.data["run"])

    @client.function("g", on="first")
    async def g(ctx: assay.Context) -> None:
        """Does nothing."""

    async with open_box(client) as box:
        first = await finish(box, "first")
        await finish(box, "go", {"run": first.id})

        (score,) = await box.scores(first.id)
        assert (score.run_id, score.value, score.source) == (first.id, True, "step")


async def test_a_step_that_scores_a_run_that_is_not_there_fails(open_box: OpenBox) -> None:
    """It is not tried again; its other scores are kept, as those of every failed attempt."""
    client = assay.Client("app")
    attempts: list[int] = []

    async def judge() -> None:
        attempts.append(1)
        await client.score("speed", 2)
        await client.score("quality", 1, run_id=UNKNOWN)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        try:
            await ctx.step.run("judge", judge)
        except assay.StepError as error:
            return error.code
        return "recorded"

    async with open_box(client) as box:
        run = await finish(box)
        assert run.output == "run_not_found"
        assert attempts == [1]
        assert [(score.name, score.step_id) for score in run.scores] == [("speed", "judge")]
        assert (await box.get("scores", name="quality"))["data"] == []


async def test_a_step_scores_another_run_that_is_there(open_box: OpenBox) -> None:
    """Known runs are asked for once the step is done, and scored."""
    client = assay.Client("app")

    def judge(run_id: str) -> None:
        client.sync.score("quality", True, run_id=run_id)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("judge", judge, ctx.event.data["run"])

    @client.function("g", on="first")
    async def g(ctx: assay.Context) -> None:
        """Does nothing."""

    async with open_box(client) as box:
        first = await finish(box, "first")
        await finish(box, "go", {"run": first.id})

        (score,) = await box.scores(first.id)
        assert (score.run_id, score.value, score.source) == (first.id, True, "step")


async def test_a_scorer_that_scores_a_run_that_is_not_there_fails(open_box: OpenBox) -> None:
    """Nothing is recorded; the outcome says why; a run that is there is scored."""
    client = assay.Client("app")

    @client.scorer("judge", scores="quality", retries=0)
    async def judge(ctx: assay.ScorerContext[dict[str, str]]) -> assay.Score:
        return assay.Score("quality", 1, run_id=ctx.data["run"])

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("promise", judge, {"run": ctx.event.data["run"]})

    async with open_box(client) as box:
        run = await finish(box, data={"run": UNKNOWN})
        (scorer,) = await box.runs("judge")
        assert scorer.error is not None
        assert scorer.error.code == "run_not_found"
        (outcome,) = run.outcomes
        assert states(run) == {"quality": "failed"}
        assert UNKNOWN in (outcome.reason or "")
        assert (await box.get("scores", name="quality"))["data"] == []

        other = await finish(box, data={"run": run.id})
        assert states(other) == {"quality": "observed"}
        assert [score.value for score in await box.scores(run.id)] == [1]


async def test_no_score_of_a_run_holds_for_tomorrow(open_box: OpenBox) -> None:
    """It would hide all that are given until then: from a body, a step or a scorer."""
    client = assay.Client("app")

    @client.scorer("judge", scores="late")
    async def judge(ctx: assay.ScorerContext) -> assay.Score:
        return assay.Score("late", 1, at=datetime.fromisoformat(ctx.data["at"]))

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> list[str]:
        now = ctx.event.ts
        assert now is not None
        soon, tomorrow = now + timedelta(minutes=1), now + timedelta(days=1)
        refused = []
        ctx.defer("d", judge, {"at": tomorrow.isoformat()})

        async def score() -> None:
            await client.score("in-step", 1, at=tomorrow)

        try:
            await ctx.step.score("s", name="in-body", value=1, at=tomorrow)
        except assay.AssayError as error:
            refused.append(error.code)
        try:
            await ctx.step.run("t", score)
        except assay.StepError as error:
            refused.append(error.code)
        await ctx.step.score("u", name="soon", value=1, at=soon)
        return refused

    async with open_box(client) as box:
        run = await finish(box)
        assert run.output == ["score_detail", "score_detail"]
        assert [score.name for score in run.scores] == ["soon"]
        (promised,) = run.outcomes
        assert (promised.state, "must not lie ahead" in str(promised.reason)) == ("failed", True)
