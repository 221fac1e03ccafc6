"""Statements 34-37 on scores of experiments, with the differences that Assay means to have."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import assay
from boxes import attributed, counts_for, finish, start, step
from experiment_rows import serve

if TYPE_CHECKING:
    from assay.wire.runs import RunDetail
    from boxes import OpenBox

pytestmark = pytest.mark.anyio
STYLE = {"experiment": "answer-style", "variant": "concise"}
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
UNSERVED = STYLE | {"variant": "detailed"}


class App:
    """A client whose function is served variants, and promises a scorer with or without a ref."""

    def __init__(self, url: str) -> None:
        self.client = assay.Client("support-agent")
        self.seen: list[assay.ExperimentRef | None] = []

        @self.client.scorer("feedback", scores="liked")
        async def feedback(ctx: assay.ScorerContext) -> bool:
            self.seen.append(ctx.parent.experiment)
            return True

        @self.client.function("answer", on="go")
        async def answer(ctx: assay.Context) -> None:
            await ctx.step.run("serve", partial(self.serve, url, ctx.run_id, ctx.event.data))
            ctx.defer("score", feedback, {}, experiment=ctx.event.data.get("ref"))

    @staticmethod
    def serve(url: str, run: str, data: dict[str, Any]) -> None:
        """Serve each of the pairs (experiment, variant)."""
        for index, (experiment, variant) in enumerate(data["served"]):
            first = [name for name, _ in data["served"]].index(experiment)
            serve(url, run, experiment, variant, index=index - first)


async def scored(open_box: OpenBox, url: str, **data: object) -> tuple[App, RunDetail]:
    """The run of an `App` once its scorer has scored it."""
    app = App(url)
    async with open_box(app.client) as box:
        run = await finish(box, "go", data)
        await box.settled()
        return app, await box.run(run.id)


async def test_a_promise_with_a_ref_scores_the_variant(
    open_box: OpenBox, assay_database: str
) -> None:
    """34: the scorer sees the ref, and what it returns counts for that exposure."""
    app, run = await scored(
        open_box, assay_database, served=[["answer-style", "concise"], ["model", "m"]], ref=STYLE
    )

    assert app.seen == [assay.ExperimentRef(experiment="answer-style", variant="concise")]
    assert attributed(run) == {"liked": [("answer-style", "concise", 0, True)]}


async def test_a_promise_without_a_ref_scores_what_its_run_was_served(
    open_box: OpenBox, assay_database: str
) -> None:
    """34: there it is absent from the experiment; here it counts for each that is unambiguous."""
    served = [["answer-style", "concise"], ["model", "m"]]
    app, run = await scored(open_box, assay_database, served=served)

    assert app.seen == [None]
    assert attributed(run) == {
        "liked": [("answer-style", "concise", 0, True), ("model", "m", 0, True)]
    }


async def test_a_run_that_was_served_two_variants_is_scored_for_neither(
    open_box: OpenBox, assay_database: str
) -> None:
    """34: only a ref says which of them a score is about."""
    served = [["answer-style", "concise"], ["answer-style", "detailed"]]
    _, plain = await scored(open_box, assay_database, served=served)
    _, named = await scored(open_box, assay_database, served=served, ref=UNSERVED | {"index": 1})

    assert attributed(plain) == {"liked": []}
    assert attributed(named) == {"liked": [("answer-style", "detailed", 1, True)]}


async def test_a_ref_that_is_none_refuses_the_promise_and_not_the_run(
    open_box: OpenBox, assay_database: str
) -> None:
    """34: the outcome says what is wrong with it."""
    _, run = await scored(open_box, assay_database, served=[], ref={"experiment": "answer-style"})

    (outcome,) = run.outcomes
    assert (run.status, outcome.state) == ("completed", "failed")
    assert outcome.reason == "experiment.variant must be a non-empty string"


async def test_scoring_an_experiment_from_outside(open_box: OpenBox, assay_database: str) -> None:
    """35: with the run and the ref it is attributed, also after a way through JSON."""
    client = App(assay_database).client
    async with open_box(client) as box:
        run = await finish(box, "go", {"served": [["answer-style", "concise"]]})
        ref = assay.ExperimentRef(experiment="answer-style", variant="concise")
        as_json = json.loads(json.dumps(ref.as_dict()))
        for name, given in {
            "ref": ref,
            "json": as_json,
            "short": STYLE,
            "seed": {"experimentName": "answer-style", "variant": "concise"},
        }.items():
            await client.score_experiment(name, 1, experiment=given, run_id=run.id)
        found = attributed(await box.run(run.id))

    concise = [("answer-style", "concise", 0, True)]
    assert {name: found[name] for name in ("ref", "json", "short", "seed")} == dict.fromkeys(
        ("ref", "json", "short", "seed"), concise
    )


@pytest.mark.parametrize(
    ("ref", "field"),
    [
        ({}, "experiment.experiment"),
        ({"variant": "concise"}, "experiment.experiment"),
        ({"experiment": "answer-style"}, "experiment.variant"),
        (STYLE | {"variant": ""}, "experiment.variant"),
        (STYLE | {"variant": "  "}, "experiment.variant"),
        (STYLE | {"experiment": None}, "experiment.experiment"),
        (STYLE | {"experiment": 1}, "experiment.experiment"),
        (STYLE | {"experiment": "x" * 129}, "experiment.experiment"),
        (STYLE | {"experiment": "a\0"}, "experiment.experiment"),
        (STYLE | {"experimentName": "answer-style"}, "experiment.experiment"),
        (STYLE | {"index": -1}, "experiment.index"),
        (STYLE | {"index": True}, "experiment.index"),
        (STYLE | {"index": 2**31}, "experiment.index"),
        (STYLE | {"result": 1}, "experiment"),
        ("answer-style", "experiment"),
        (None, "experiment"),
    ],
)
async def test_what_names_no_exposure_is_refused(open_box: OpenBox, ref: Any, field: str) -> None:
    """35: inside a run and outside, with the part that is wrong."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(_: assay.Context) -> None:
        await client.score_experiment("liked", 1, experiment=ref)

    async with open_box(client) as box:
        run = await finish(box)
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "score_reference")
        with pytest.raises(assay.AssayError) as caught:
            await client.score_experiment("liked", 1, experiment=ref, run_id=run.id)

    assert (caught.value.code, caught.value.field) == ("score_reference", field)


async def test_outside_the_run_has_to_be_named(open_box: OpenBox) -> None:
    """35: a ref says which variant, not which run."""
    client = assay.Client("app")
    async with open_box(client):
        with pytest.raises(assay.AssayError, match="No run context available"):
            await client.score_experiment("liked", 1, experiment=STYLE)


async def test_a_score_for_what_was_not_served_is_kept_and_reported(
    open_box: OpenBox, assay_database: str
) -> None:
    """35: it is stored and left out, and the run says so; served later, it counts."""
    client = App(assay_database).client
    async with open_box(client) as box:
        run = await finish(box, "go", {"served": []})
        await client.score_experiment("x", 1, experiment=UNSERVED, run_id=run.id)
        before = await box.run(run.id)
        serve(assay_database, run.id, *UNSERVED.values())
        after = await box.run(run.id)

    assert attributed(before)["x"] == [("answer-style", "detailed", 0, False)]
    (warning,) = before.warnings
    assert warning.startswith("a score names 'detailed' of experiment 'answer-style' (use 1)")
    assert attributed(after)["x"] == [("answer-style", "detailed", 0, True)]
    assert after.warnings == []


async def test_scoring_an_experiment_inside_a_run(open_box: OpenBox, assay_database: str) -> None:
    """36: there it is lost in a step; here it is about the run, which a ref can only mean."""
    client = assay.Client("app")

    async def inside(ref: assay.ExperimentRef) -> None:
        await client.score_experiment("step", 1, experiment=ref)
        await client.score("attempt", 1)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ref = await ctx.step.run("serve", serve, assay_database, ctx.run_id, *STYLE.values())
        await ctx.step.run("inside", inside, ref)
        await client.score_experiment("body", 1, experiment=ref)

    async with open_box(client) as box:
        run = await finish(box)

    concise = [("answer-style", "concise", 0, True)]
    assert attributed(run) == {"step": concise, "body": concise, "attempt": []}
    assert {score.name: score.subject for score in run.scores} == {
        "step": "run",
        "body": "run",
        "attempt": "step",
    }
    assert step(run, "assay.score").kind == "score"


async def test_scoring_an_experiment_in_sync_code(open_box: OpenBox, assay_database: str) -> None:
    """36: bodies and steps that are not async do the same."""
    client = assay.Client("app")

    def inside() -> None:
        client.sync.score_experiment("step", 1, experiment=STYLE)

    @client.function("f", on="go")
    def f(ctx: assay.SyncContext) -> None:
        ctx.step.run("serve", serve, assay_database, ctx.run_id, *STYLE.values())
        ctx.step.run("inside", inside)
        client.sync.score_experiment("body", 1, experiment=STYLE)

    async with open_box(client) as box:
        run = await finish(box)

    concise = [("answer-style", "concise", 0, True)]
    assert attributed(run) == {"step": concise, "body": concise}


async def test_a_run_scores_the_variant_of_another(open_box: OpenBox, assay_database: str) -> None:
    """36: the run that it names, which has to be there."""
    client = App(assay_database).client

    async def in_step(run: str) -> None:
        await client.score_experiment("step", 1, experiment=STYLE, run_id=run)

    @client.function("g", on="second")
    async def g(ctx: assay.Context) -> None:
        run = ctx.event.data["run"]
        await client.score_experiment("body", 1, experiment=STYLE, run_id=run)
        await ctx.step.run("s", in_step, run)

    async with open_box(client) as box:
        first = await finish(box, "go", {"served": [["answer-style", "concise"]]})
        second = await finish(box, "second", {"run": first.id})
        unknown = await finish(box, "second", {"run": UNKNOWN})
        first = await box.run(first.id)

    concise = [("answer-style", "concise", 0, True)]
    assert attributed(first) == {"liked": concise, "body": concise, "step": concise}
    assert (second.status, second.scores) == ("completed", [])
    assert unknown.error is not None
    assert unknown.error.code == "run_not_found"


async def test_two_experiments_on_one_run_are_both_kept(
    open_box: OpenBox, assay_database: str
) -> None:
    """37: there the second takes the place of the first."""
    client = App(assay_database).client
    model = {"experiment": "model", "variant": "m"}
    async with open_box(client) as box:
        served = [["answer-style", "concise"], ["model", "m"]]
        run = await start(box, "go", {"served": served})
        await box.settled()
        await client.score_experiment("quality", 1, experiment=STYLE, run_id=run)
        await client.score_experiment("quality", 0, experiment=model, run_id=run)
        await client.score("both", 1, run_id=run)
        history = await box.scores(run)

    assert [(s.name, s.value, counts_for(s)) for s in history if s.name != "liked"] == [
        ("quality", 1, [("answer-style", "concise", 0, True)]),
        ("quality", 0, [("model", "m", 0, True)]),
        ("both", 1, [("answer-style", "concise", 0, True), ("model", "m", 0, True)]),
    ]
