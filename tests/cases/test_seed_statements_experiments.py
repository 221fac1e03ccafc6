"""Statements 29-33 on experiments, with the differences that Assay means to have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

import assay
from assay.experiments.hashing import choose
from boxes import Recorder, finish, start

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio

EVEN = {"concise": 50.0, "detailed": 50.0}


def answering(done: Recorder, weights: dict[str, float] | None = None) -> assay.Client:
    """A client whose function answers in one of two styles, by account."""
    client = assay.Client("support-agent")

    @client.function("answer", on="go")
    async def answer(ctx: assay.Context) -> str:
        picked = await ctx.experiment(
            "answer-style",
            variants={
                "concise": lambda: ctx.step.run("answer-concise", done.note, "concise"),
                "detailed": lambda: ctx.step.run("answer-detailed", done.note, "detailed"),
            },
            select=assay.bucket(ctx.event.data["account"], weights=weights or EVEN),
        )
        await ctx.step.sleep("nap", "1h")
        assert picked.result == picked.variant
        return picked.variant

    return client


async def test_a_unit_gets_what_the_documented_hash_says(open_box: OpenBox) -> None:
    """29: weighted rendezvous over project, experiment, salt, variant and unit."""
    async with open_box(answering(Recorder())) as box:
        for account in ("acct_42", "acct_123", "中文", "😀"):
            run = await start(box, data={"account": account})
            await box.advance("1h")
            expected = choose("default", "answer-style", "", EVEN, account)
            assert (await box.run(run)).output == expected


async def test_an_account_keeps_its_variant_over_runs_and_replays(open_box: OpenBox) -> None:
    """30: a run keeps its choice though weights change meanwhile; a new run uses the new ones."""
    done, account = Recorder(), {"account": "acct_42"}
    old, new = {"concise": 1.0, "detailed": 0.0}, {"concise": 0.0, "detailed": 1.0}

    async with open_box(answering(done, old)) as box:
        run = await start(box, data=account)
        again = await start(box, data=account)
        await box.advance("1m")
    async with open_box(answering(done, new), start=box.clock.now()) as box:
        third = await start(box, data=account)
        await box.advance("1h")
        variants = [(await box.run(one)).output for one in (run, again, third)]

    assert variants == ["concise", "concise", "detailed"]
    assert done == ["concise", "concise", "detailed"]


async def test_only_the_chosen_variant_runs(open_box: OpenBox) -> None:
    """31: the steps of the others are never asked for."""
    done = Recorder()
    async with open_box(answering(done, {"concise": 0, "detailed": 1})) as box:
        run = await start(box, data={"account": "a"})
        await box.advance("1h")
        assert [step.id for step in (await box.run(run)).steps] == [
            "answer-style",
            "answer-detailed",
            "nap",
        ]
    assert done == ["detailed"]


async def test_a_pick_has_result_variant_and_a_ref_that_survives_json(open_box: OpenBox) -> None:
    """32: the ref names experiment, variant and use."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> dict[str, Any]:
        picked = await ctx.experiment(
            "style",
            variants={"a": lambda: ctx.step.run("work", len, "four")},
            select=assay.fixed("a"),
        )
        return {"result": picked.result, "variant": picked.variant, "ref": picked.ref.as_dict()}

    async with open_box(client) as box:
        output = (await finish(box)).output
    assert output == {
        "result": 4,
        "variant": "a",
        "ref": {"experiment": "style", "variant": "a", "index": 0},
    }
    ref = assay.ExperimentRef(**json.loads(json.dumps(output["ref"])))
    assert ref == assay.ExperimentRef(experiment="style", variant="a")


ONE_STEP = {"a": lambda ctx: ctx.step.run("work", len, "x")}
MISUSES: list[tuple[str, Any, Any]] = [
    ("experiment_variants", {}, assay.fixed("a")),
    ("experiment_variants", {"a": "no callable"}, assay.fixed("a")),
    ("experiment_variants", ["a"], assay.fixed("a")),
    ("experiment_variants", {"a" * 129: None}, assay.fixed("a")),
    ("experiment_variants", {"\x1b[31m": None}, assay.fixed("a")),
    ("unknown_variant", ONE_STEP, assay.fixed("b")),
    ("unknown_variant", ONE_STEP, assay.custom(lambda: "b")),
    ("experiment_weights", ONE_STEP, assay.bucket("u", weights={"a": 1, "b": 1})),
    ("experiment_weights", ONE_STEP, assay.weighted({"b": 1})),
    ("experiment_select", ONE_STEP, "a"),
    ("variant_without_step", {"a": lambda _: _nothing()}, assay.fixed("a")),
    ("variant_without_step", {"a": lambda _: 1}, assay.fixed("a")),
]


async def _nothing() -> str:
    return "no step"


@pytest.mark.parametrize(("code", "variants", "select"), MISUSES)
async def test_a_misuse_fails_the_run_once(
    open_box: OpenBox, code: str, variants: Any, select: Any
) -> None:
    """33: each has a code, and no further attempt is made."""
    client, tries = assay.Client("app"), Recorder()

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        if ctx.attempt > 1:
            tries.append("again")
        bound = variants
        if isinstance(variants, dict):
            bound = {
                name: (lambda made=made: made(ctx)) if callable(made) else made
                for name, made in variants.items()
            }
        await ctx.experiment("style", variants=bound, select=select)

    async with open_box(client) as box:
        run = await finish(box)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == code
    assert tries == []


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"a": 0, "b": 0},
        {"a": -1, "b": 2},
        {"a": float("nan")},
        {"a": True},
        {"a": "1"},
        {"a": 10**400},
        {"a": 1e308, "b": 1e308},
    ],
)
def test_weights_that_are_none_are_refused_where_they_are_written(weights: Any) -> None:
    """33: before any run chooses by them."""
    for make in (assay.weighted, lambda given: assay.bucket("u", weights=given)):
        with pytest.raises(assay.AssayError) as refused:
            make(weights)
        assert refused.value.code == "experiment_weights"


def test_what_chooses_has_to_be_callable() -> None:
    """33: a name in its place is refused where it is written."""
    with pytest.raises(assay.AssayError) as refused:
        assay.custom(cast("Any", "a"))
    assert (refused.value.code, refused.value.field) == ("experiment_select", "select")


def test_what_is_sticky_is_so_or_not() -> None:
    """Text from a setting, such as "no", would make every unit keep its variant."""
    with pytest.raises(assay.AssayError) as refused:
        assay.bucket("u", sticky=cast("Any", "no"))
    assert (refused.value.code, refused.value.field) == ("experiment_select", "sticky")


async def test_what_is_wrong_with_probabilities_is_not_called_weights(open_box: OpenBox) -> None:
    """33: the field is the one that was written."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.experiment(
            "style",
            variants={"a": lambda: ctx.step.run("work", len, "x")},
            select=assay.custom(lambda: "a", probabilities={"b": 1}),
        )

    async with open_box(client) as box:
        run = await finish(box)
    assert run.error is not None
    assert run.error.code == "experiment_weights"
    assert run.error.message.startswith("probabilities of experiment 'style'")


async def test_a_step_inside_select_is_refused(open_box: OpenBox) -> None:
    """33: what chooses is a step by itself."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        async def pick() -> str:
            return await ctx.step.run("inner", str, "a")

        await ctx.experiment(
            "style",
            variants={"a": lambda: ctx.step.run("work", len, "x")},
            select=assay.custom(pick),
        )

    async with open_box(client) as box:
        run = await finish(box)
    assert run.error is not None
    assert run.error.code == "step_in_step"


async def test_a_variant_that_is_gone_from_the_code_fails_its_runs(open_box: OpenBox) -> None:
    """33: a run that was given it can't go on, and says what to keep."""

    def serving(*names: str) -> assay.Client:
        client = assay.Client("app")

        @client.function("f", on="go")
        async def f(ctx: assay.Context) -> None:
            await ctx.experiment(
                "style",
                variants={name: lambda: ctx.step.sleep("nap", "1h") for name in names},
                select=assay.fixed(names[0]),
            )

        return client

    async with open_box(serving("old", "new")) as box:
        run = await start(box)
        await box.settled()
    async with open_box(serving("new"), start=box.clock.now()) as box:
        await box.advance("1h")
        ended = await box.run(run)
    assert ended.error is not None
    assert ended.error.code == "variant_gone"
