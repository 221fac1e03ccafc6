"""What a reader of results is told where the way of choosing hides what variants do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


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
    assert said.startswith("served another variant than the unit was first, and counted for that")
    assert ": 1 run; " in said


async def test_a_variant_alone_is_told_to_have_nothing_beside_it(open_box: OpenBox) -> None:
    """All others have weight 0, and nobody was served them."""
    results = await served(open_box, assay.bucket("acct", weights={"a": 1, "b": 0}), 1)
    assert results["warnings"][0] == (
        "only 'a' has a share of the weights: there is nothing to compare"
    )


async def test_exposures_of_this_hour_alone_are_told_with_when_results_start(
    open_box: OpenBox,
) -> None:
    """They are counted, and nothing else is said of them."""
    client = assay.Client("app")
    choosing(client, 1)
    async with open_box(client, start=TEN + timedelta(minutes=5)) as box:
        await finish(box)
        results = await box.get("experiments/style/results")
    first, second = results["warnings"]
    assert first.startswith("all so far, 1 exposure, came since 10:00 UTC: results start with the")
    assert second == "no plan is declared: all intervals are exploratory"


async def test_two_versions_of_the_code_side_by_side_are_told(
    open_box: OpenBox, caplog: pytest.LogCaptureFixture
) -> None:
    """Each return to the other's weights opens an epoch: workers log it, results warn."""
    results: Any = None
    for minute, weight in enumerate((1, 4, 1, 4)):
        client = assay.Client("app")
        choosing(client, weight)
        async with open_box(client, start=TEN + timedelta(minutes=minute)) as box:
            await finish(box)
            await box.advance("1h")
            results = await box.get("experiments/style/results")
    told = [one.getMessage() for one in caplog.records if "side by side" in one.getMessage()]
    assert [one.split("(")[1] for one in told] == ["now 3)", "now 4)"]
    (said,) = [one for one in results["warnings"] if "side by side" in one]
    assert said.startswith("the way of choosing changed 3 times within an hour")


async def test_a_choice_that_it_says_is_never_made_fails_its_run(open_box: OpenBox) -> None:
    """Else the variant would be served to many, against what is known of its probability."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in "ab"},
            select=assay.custom(lambda: "b", probabilities={"a": 1, "b": 0}),
        )

    async with open_box(client) as box:
        run = await finish(box)
    assert run.error is not None
    assert "chose 'b', whose declared probability is 0" in run.error.message


def choosing(client: assay.Client, weight: float) -> None:
    """Have a client choose between two variants, one of this weight."""

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in "ab"},
            select=assay.bucket("acct", weights={"a": 1, "b": weight}),
        )


def test_a_difference_without_its_guardrail_is_not_said_to_be_none() -> None:
    """It was shown; that nothing else gets worse was not."""
    planning = Planning(
        unit="unit",
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
        seen=None,
        planning=planning,
        at=None,
        is_share=True,
    )
    assert sentence == "'b' is not shown to be better than 'a' (guardrail: tone)."
