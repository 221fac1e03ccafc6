"""An experiment whose variant was fixed before chance chose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import assay
from boxes import finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.sdk.experiments import Selection
    from boxes import OpenBox

pytestmark = pytest.mark.anyio
BEGUN = datetime(2026, 3, 2, 10, tzinfo=UTC)
PLAN = assay.ExperimentPlan(primary="good", kind="boolean", days=3, maturity="1d")


def choosing(select: Callable[[str], Selection]) -> assay.Client:
    """A client whose function serves a style by account, under a plan of three days."""
    client = assay.Client("app")
    client.experiment("style", plan=PLAN)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in "ab"},
            select=select(ctx.event.data["account"]),
        )

    return client


async def test_a_plan_begins_when_chance_does(open_box: OpenBox) -> None:
    """It is not over by then; who was served before does not count, and results say so."""
    async with open_box(choosing(lambda _: assay.fixed("a")), start=BEGUN) as box:
        for account in range(3):
            await finish(box, data={"account": f"old-{account}"})
        await box.advance("5d")
    async with open_box(choosing(assay.bucket), start=BEGUN + timedelta(days=5)) as box:
        for name in ("old-0", "new-0", "new-1"):
            await finish(box, data={"account": name})
        await box.advance("4d")
        results = await box.get("experiments/style/results")
        looks = await box.get("experiments/style/looks", limit=500)
    assert results["ends_at"] == "2026-03-10T00:00:00Z"
    (said,) = [one for one in results["warnings"] if "where chance did not choose" in one]
    assert said.startswith("3 units were first served")
    (last,) = [
        one for one in looks["data"] if (one["mode"], one["spending_time"]) == ("planned", 1)
    ]
    assert (last["difference"]["data_cutoff"], last["word"]) == (results["ends_at"], "not shown")
