"""What a reader of results is told where the way of choosing hides what variants do."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

import assay
from assay.experiments import sentences
from assay.model.looks import Word
from assay.model.results import Planning
from boxes import finish

if TYPE_CHECKING:
    from assay.sdk.experiments import Selection
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


async def served(open_box: OpenBox, select: Selection, runs: int) -> Any:
    """What an experiment says whose variants are chosen in this way for each of some runs."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in "ab"},
            select=select,
        )

    async with open_box(client) as box:
        for _ in range(runs):
            await finish(box)
            await box.advance("1s")
        await box.advance("1h")
        return await box.get("experiments/style/results")


async def test_runs_that_cross_to_another_variant_of_their_unit_are_told(open_box: OpenBox) -> None:
    """They count for the first, as a unit counts; read as what variants do it would be wrong."""
    names = cycle("abab")
    even = {"a": 0.5, "b": 0.5}
    select = assay.custom(lambda: next(names), probabilities=even, unit="acct")
    results = await served(open_box, select, 3)
    (said,) = [one for one in results["warnings"] if "another variant" in one]
    assert said.startswith("1 runs were served another variant than their unit was first")


def test_a_difference_without_its_guardrail_is_not_said_to_be_none() -> None:
    """It was shown; that nothing else gets worse was not."""
    planning = Planning(
        alpha=0.05,
        power=0.8,
        mde=0.2,
        difference=None,
        units_needed=None,
        units_more=None,
        reason=None,
    )
    sentence = sentences.verdict(
        Word.NOT_SHOWN,
        variant="b",
        control="a",
        reason="guardrail: tone",
        difference=None,
        planning=planning,
        at=None,
    )
    assert sentence == "'b' is not shown to be better than 'a' (guardrail: tone)."
