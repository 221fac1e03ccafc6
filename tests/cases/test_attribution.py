"""Which exposure a score counts for: by its own word, its promise's, its use; after any crash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import assay
from assay.testing import Sandbox
from boxes import at_each_commit, attributed, counts_for, finish
from experiment_rows import serve

if TYPE_CHECKING:
    from assay.testing import Databases
    from boxes import Arm, OpenBox

pytestmark = pytest.mark.anyio
STYLE = {"experiment": "answer-style", "variant": "concise"}
UNSERVED = STYLE | {"variant": "detailed"}


async def test_scores_that_a_scorer_returns_may_name_other_exposures(
    open_box: OpenBox, assay_database: str
) -> None:
    """What a score says comes first; one about a step or another run goes without."""
    client = assay.Client("app")

    @client.scorer("judge", scores=["a", "b", "c", "d"])
    async def judge(ctx: assay.ScorerContext) -> list[assay.Score]:
        return [
            assay.Score("a", 1),
            assay.Score("b", 2, experiment=UNSERVED),
            assay.Score("c", 3, step_id="serve"),
            assay.Score("d", 4, run_id=ctx.parent.run_id),
        ]

    @client.function("answer", on="go")
    async def answer(ctx: assay.Context) -> None:
        ref = await ctx.step.run("serve", serve, assay_database, ctx.run_id, *STYLE.values())
        ctx.defer("score", judge, {}, experiment=ref)

    async with open_box(client) as box:
        run = await finish(box)
        await box.settled()
        run = await box.run(run.id)

    concise = [("answer-style", "concise", 0, True)]
    assert attributed(run) == {
        "a": concise,
        "b": [("answer-style", "detailed", 0, False)],
        "c": [],
        "d": concise,
    }


async def test_a_score_that_a_scorer_returns_may_say_when_it_holds(
    open_box: OpenBox, assay_database: str
) -> None:
    """Which decides whether it comes in time for the experiment."""
    client = assay.Client("app")
    then = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)

    @client.scorer("judge", scores="a")
    async def judge(_: assay.ScorerContext) -> assay.Score:
        return assay.Score("a", True, at=then)

    @client.function("answer", on="go")
    async def answer(ctx: assay.Context) -> None:
        ref = await ctx.step.run("serve", serve, assay_database, ctx.run_id, *STYLE.values())
        ctx.defer("score", judge, {}, experiment=ref)

    async with open_box(client) as box:
        run = await finish(box)
        await box.settled()
        (score,) = await box.scores(run.id)

    assert (score.at, counts_for(score)) == (then, [("answer-style", "concise", 0, True)])


@pytest.mark.parametrize("is_before", [False, True])
async def test_a_crash_at_any_commit_attributes_nothing_twice(
    assay_databases: Databases, *, is_before: bool
) -> None:
    """Nor loses anything, what was scored before the choice included."""
    client = assay.Client("app")

    @client.scorer("judge", scores="late")
    async def judge(ctx: assay.ScorerContext) -> bool:
        return await ctx.step.run("look", bool, 1)

    async def inside(ref: assay.ExperimentRef) -> None:
        await client.score_experiment("step", 1, experiment=ref)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("first", name="early", value=1)
        picked = await ctx.experiment(
            "answer-style",
            variants={"concise": lambda: ctx.step.run("answer", str, 1)},
            select=assay.fixed("concise"),
        )
        await ctx.step.run("inside", inside, picked.ref)
        await client.score_experiment("body", 1, experiment=picked.ref)
        await ctx.step.score("last", name="plain", value=1)
        ctx.defer("d", judge, {}, experiment=picked.ref)

    async def live(url: str, arm: Arm) -> None:
        async with Sandbox(client, database_url=url) as box:
            arm(box)
            run = await finish(box)
            await box.settled()
            history = await box.scores(run.id)
            concise = [("answer-style", "concise", 0, True)]
            names = ["body", "early", "late", "plain", "step"]
            assert sorted((s.name, counts_for(s)) for s in history) == [(n, concise) for n in names]

    await at_each_commit(assay_databases, live, is_before=is_before)


async def test_each_use_in_a_loop_is_scored_by_its_ref(open_box: OpenBox) -> None:
    """A plain score counts for all uses, and for none where they differ."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for n in range(2):
            picked = await ctx.experiment(
                "answer-style",
                variants={name: lambda: ctx.step.run("answer", str, 1) for name in "ab"},
                select=assay.fixed("ab"[n * ctx.event.data["step"]]),
            )
            await client.score_experiment(f"named-{n}", n, experiment=picked.ref)
        await ctx.step.score("last", name="plain", value=1)

    async with open_box(client) as box:
        alike = await finish(box, "go", {"step": 0})
        mixed = await finish(box, "go", {"step": 1})

    first, second = ("answer-style", "a", 0, True), ("answer-style", "a", 1, True)
    assert attributed(alike) == {"named-0": [first], "named-1": [second], "plain": [first, second]}
    other = ("answer-style", "b", 1, True)
    assert attributed(mixed) == {"named-0": [first], "named-1": [other], "plain": []}
    assert alike.warnings == []
    (warning,) = mixed.warnings
    assert "several variants of experiment 'answer-style'" in warning


async def test_a_scorer_scores_the_variant_of_its_parent(
    open_box: OpenBox, assay_database: str
) -> None:
    """With the parent's ref the score is about the parent, named or not."""
    client = assay.Client("app")

    async def judge_in_step(ref: assay.ExperimentRef) -> None:
        await client.score_experiment("step", 1, experiment=ref)

    @client.scorer("judge", scores="a")
    async def judge(ctx: assay.ScorerContext) -> None:
        ref = ctx.parent.experiment
        assert ref is not None
        await client.score_experiment("bare", 1, experiment=ref)
        await client.score_experiment("named", 1, experiment=ref, run_id=ctx.parent.run_id)
        await ctx.step.run("judge", judge_in_step, ref)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ref = await ctx.step.run("serve", serve, assay_database, ctx.run_id, *STYLE.values())
        ctx.defer("d", judge, {}, experiment=ref)

    async with open_box(client) as box:
        run = await finish(box)
        await box.settled()
        run = await box.run(run.id)

    concise = [("answer-style", "concise", 0, True)]
    assert attributed(run) == {"bare": concise, "named": concise, "step": concise}
