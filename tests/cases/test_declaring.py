"""Plans and ways of choosing that several declare differently: who did, and what then counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import assay
from boxes import finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boxes import OpenBox

pytestmark = pytest.mark.anyio
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


def declaring(app: str, units: int | None, weight: float = 1) -> assay.Client:
    """An app that declares a plan of so many units, or none, and has such a weight for b."""
    client = assay.Client(app)

    @client.function("f", on=f"go/{app}")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in "ab"},
            select=assay.bucket("acct", weights={"a": 1, "b": weight}),
        )

    if units is not None:
        plan = assay.ExperimentPlan(primary="tone", kind="number", days=20, units=units)
        client.experiment("style", plan=plan)
    return client


async def told(open_box: OpenBox, starts: Sequence[tuple[str, int | None, float]]) -> Any:
    """What results say after these apps were started one after the other, each serving a run."""
    results: Any = None
    for hour, (app, units, weight) in enumerate(starts):
        start = TEN + timedelta(hours=2 * hour)
        async with open_box(declaring(app, units, weight), start=start) as box:
            await finish(box, f"go/{app}")
            await box.advance("1h")
            results = await box.get("experiments/style/results")
    return results


def warned(results: Any, of: str) -> list[str]:
    """The warnings of what is declared differently."""
    return [one for one in results["warnings"] if one.startswith(of) and "in turn" in one]


async def test_two_apps_that_declare_differently_begin_nothing_anew_at_each_restart(
    open_box: OpenBox, caplog: pytest.LogCaptureFixture
) -> None:
    """The later plan stays in force, results name both apps, and workers log it."""
    results = await told(open_box, [("x", 100, 1), ("y", 200, 1), ("x", 100, 1), ("y", 200, 1)])
    assert [(one["version"], one["app"]) for one in results["plans"]] == [(1, "x"), (2, "y")]
    assert all(one["worker"] and one["app_version"] for one in results["plans"])
    (said,) = warned(results, "the plan")
    assert "by app 'y' (version " in said
    assert "and app 'x' (version " in said
    logged = [one.getMessage() for one in caplog.records if "not in force" in one.getMessage()]
    assert ["in the code of x" in one for one in logged] == [True]


async def test_what_was_declared_within_the_hour_is_told_at_once(open_box: OpenBox) -> None:
    """Though numbers are of the last full hour: who has just started a worker looks now."""
    results: Any = None
    for minute, (app, units) in enumerate([("x", 100), ("y", 200), ("x", 100)]):
        start = TEN + timedelta(minutes=minute)
        async with open_box(declaring(app, units, minute % 2 + 1), start=start) as box:
            await finish(box, f"go/{app}")
            results = await box.get("experiments/style/results")
    assert len(warned(results, "the plan")) == len(warned(results, "the way of choosing")) == 1
    assert [one["app"] for one in results["plans"]] == ["x", "y"]


async def test_an_app_that_changes_its_own_plan_has_it_in_force(open_box: OpenBox) -> None:
    """Whatever the other one declares."""
    results = await told(open_box, [("x", 100, 1), ("y", 200, 1), ("x", 300, 1)])
    assert [one["app"] for one in results["plans"]] == ["x", "y", "x"]
    assert warned(results, "the plan") == []


async def test_a_plan_that_another_app_took_out_of_its_code_makes_room(open_box: OpenBox) -> None:
    """What an app declared before is in force again once nobody stands by the later plan."""
    results = await told(open_box, [("x", 100, 1), ("y", 200, 1), ("y", None, 1), ("x", 100, 1)])
    assert [one["app"] for one in results["plans"]] == ["x", "y", "x"]


async def test_two_versions_of_an_app_that_start_in_turn_begin_nothing_anew(
    open_box: OpenBox, caplog: pytest.LogCaptureFixture
) -> None:
    """The later plan stays in force; results name both versions, and workers log it."""
    results = await told(open_box, [("x", units, 1) for units in (100, 200, 100, 200, 100)])
    assert [(one["version"], one["app"]) for one in results["plans"]] == [(1, "x"), (2, "x")]
    versions = {one["app_version"] for one in results["plans"]}
    (said,) = warned(results, "the plan")
    assert len(versions) == 2
    assert all(version in said for version in versions)
    assert "version 2, the first one's, stays in force" in said
    assert sum("not in force" in one.getMessage() for one in caplog.records) == 2


async def test_a_plan_that_an_app_took_out_of_its_code_may_come_back(open_box: OpenBox) -> None:
    """On purpose, as a new version, which results tell."""
    starts = [("x", units, 1.0) for units in (100, 200, None, 100)]
    results = await told(open_box, starts)
    assert [one["version"] for one in results["plans"]] == [1, 2, 3]
    (said,) = warned(results, "the plan")
    assert "version 3 is an earlier one again" in said


async def test_two_apps_that_choose_differently_in_turn_are_named(open_box: OpenBox) -> None:
    """However far apart their restarts are; the log of choices has who made each."""
    results = await told(open_box, [("x", None, 1), ("y", None, 4), ("x", None, 1)])
    assert [one["app"] for one in results["epochs"]] == ["x", "y", "x"]
    assert all(one["version"] and one["worker"] for one in results["epochs"])
    (said,) = warned(results, "the way of choosing")
    assert "app 'y'" in said
    assert "app 'x'" in said


async def test_weights_that_are_taken_back_are_no_dispute(open_box: OpenBox) -> None:
    """One app may change its mind."""
    results = await told(open_box, [("x", None, 1), ("x", None, 4), ("x", None, 1)])
    assert len(results["epochs"]) == 3
    assert warned(results, "the way of choosing") == []


@pytest.mark.parametrize(
    ("variants", "weights", "said"),
    [
        ("bc", {"b": 1, "c": 1}, "is gone from the code since 2026-03-02 12:00 UTC (epoch 2)"),
        ("ab", {"a": 0, "b": 1}, "has weight 0 since 2026-03-02 12:00 UTC (epoch 2)"),
    ],
)
async def test_a_control_that_nobody_gets_any_more_is_told(
    open_box: OpenBox, variants: str, weights: dict[str, float], said: str
) -> None:
    """Who comes since then is compared with nobody."""
    await told(open_box, [("x", 100, 1)])
    client = assay.Client("x")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={name: lambda: ctx.step.run("work", len, "x") for name in variants},
            select=assay.bucket("acct", weights=weights),
        )

    plan = assay.ExperimentPlan(primary="tone", kind="number", days=20, control="a", units=100)
    client.experiment("style", plan=plan)
    async with open_box(client, start=TEN + timedelta(hours=2)) as box:
        await finish(box)
        await box.advance("1h")
        results = await box.get("experiments/style/results")
    assert any(f"the control 'a' {said}" in one for one in results["warnings"])
