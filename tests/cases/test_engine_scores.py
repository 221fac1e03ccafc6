"""Scores that a run gives about other runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import assay
from boxes import finish

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
