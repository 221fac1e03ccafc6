"""Units that keep their variant whatever the weights become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

import assay
from assay.store.choices import assign
from assay.store.pool import connect
from boxes import finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boxes import OpenBox

pytestmark = pytest.mark.anyio


def choosing(weights: Mapping[str, float]) -> assay.Client:
    """A client whose function serves the variants that have a weight."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        picked = await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in weights},
            select=assay.bucket(ctx.event.data["account"], weights=weights, sticky=True),
        )
        return picked.variant

    return client


def rows(url: str, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(f"SELECT * FROM assay.{table}".encode()).fetchall()


async def test_a_sticky_unit_keeps_its_variant(open_box: OpenBox, assay_database: str) -> None:
    """Until the variant is gone from the code."""
    outputs: list[object] = []
    results: Any = None
    for weights in ({"a": 1, "b": 0}, {"a": 0, "b": 1}, {"b": 0, "c": 1}, {"b": 1, "c": 0}):
        async with open_box(choosing(weights)) as box:
            outputs.append((await finish(box, data={"account": "acct"})).output)
            await box.advance("1h")
            results = await box.get("experiments/style/results")
    assert outputs == ["a", "a", "c", "c"]
    (kept,) = rows(assay_database, "assignments")
    assert (kept["unit"], kept["variant"], kept["epoch"]) == ("acct", "c", 3)
    # All its runs count, whatever the epoch.
    tally = results["metrics"][0]["arms"][0]["tally"]
    assert (tally["units"], tally["exposed"], tally["after_epoch"]) == (1, 4, 0)


async def test_an_exposure_has_the_probability_and_the_epoch_of_the_assignment(
    open_box: OpenBox, assay_database: str
) -> None:
    """The weights of today did not choose what the unit keeps."""
    for weights in ({"a": 3, "b": 1}, {"a": 1, "b": 9}):
        async with open_box(choosing(weights)) as box:
            for account in range(12):
                await finish(box, data={"account": account})
    served = {(one["variant"], one["p"], one["epoch"]) for one in rows(assay_database, "exposures")}
    assert served == {("a", 0.75, 1), ("b", 0.25, 1)}


async def test_a_unit_that_was_assigned_and_not_served_breaks_no_balance(
    open_box: OpenBox, assay_database: str
) -> None:
    """Its worker was killed in between, and its variant has no weight any more."""
    start = datetime(2026, 3, 2, 10, tzinfo=UTC)
    async with open_box(choosing({"a": 1, "b": 1}), start=start) as box:
        await finish(box, data={"account": "first"})
    async with await connect(assay_database) as connection:
        await assign(
            connection,
            project=1,
            experiment="style",
            unit="acct",
            variant="a",
            epoch=1,
            variants=["a", "b"],
            now=start,
        )
    async with open_box(choosing({"a": 0, "b": 1}), start=start + timedelta(hours=1)) as box:
        assert (await finish(box, data={"account": "acct"})).output == "a"
        await box.advance("1h")
        results = await box.get("experiments/style/results")
    assert results["balance"]["is_broken"] is False
    assert sum(results["epochs"][0]["units"].values()) == 2
