"""Promises: deferred scorers, what they see and return, and every state of an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic
import pytest

import assay
from boxes import Recorder, finish, start, states, step, values

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


class Payload(pydantic.BaseModel):
    """What the scorer is given."""

    ticket: str = "tk"


def promising(scores: str | list[str], result: Any, *, retries: int = 4) -> assay.Client:
    """A client whose function `f` promises a scorer that gives a result or raises it."""
    client = assay.Client("app")

    @client.scorer("s", scores=scores, retries=retries)
    async def s(_: assay.ScorerContext[Payload]) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {"ticket": "tk"})

    return client


@pytest.mark.parametrize(
    ("names", "result", "scored", "expected"),
    [
        ("a", True, {"a": True}, {"a": "observed"}),
        ("a", False, {"a": False}, {"a": "observed"}),
        ("a", 0, {"a": 0}, {"a": "observed"}),
        ("a", 0.42, {"a": 0.42}, {"a": "observed"}),
        ("a", None, {}, {"a": "skipped"}),
        ("a", [], {}, {"a": "skipped"}),
        ("a", assay.Score("a", 1), {"a": 1}, {"a": "observed"}),
        (
            ["a", "b"],
            [assay.Score("a", 1), assay.Score("b", False)],
            {"a": 1, "b": False},
            {"a": "observed", "b": "observed"},
        ),
        (["a", "b"], assay.Score("b", 1), {"b": 1}, {"a": "skipped", "b": "observed"}),
        ("a", assay.NonRetriableError("no"), {}, {"a": "failed"}),
        ("a", assay.Score("other", 1), {}, {"a": "failed"}),
        (["a", "b"], 1, {}, {"a": "failed", "b": "failed"}),
    ],
)
async def test_what_a_scorer_returns_decides_scores_and_outcomes(
    open_box: OpenBox, names: Any, result: Any, scored: Any, expected: Any
) -> None:
    """A bare value, a score, several, None, or an error."""
    async with open_box(promising(names, result)) as box:
        run = await finish(box)
        await box.settled()
        ended = await box.run(run.id)
        assert (values(ended), states(ended)) == (scored, expected)
        assert {name: type(value) for name, value in values(ended).items()} == {
            name: type(value) for name, value in scored.items()
        }
        assert ended.status == "completed"


async def test_an_outcome_is_pending_from_the_moment_of_the_promise(open_box: OpenBox) -> None:
    """Before the run has ended, and until the scorer has; every change is kept."""
    client = assay.Client("app")

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> bool:
        await ctx.step.sleep("nap", "1d")
        return True

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {})
        await ctx.step.sleep("nap", "1h")

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        assert states(await box.run(run)) == {"a": "pending"}
        assert await box.runs("s") == []
        await box.advance("1h")
        assert states(await box.run(run)) == {"a": "pending"}
        await box.advance("1d")
        (outcome,) = (await box.run(run)).outcomes
        assert [change.state for change in outcome.changes] == ["pending", "observed"]
        (scorer,) = await box.runs("s")
        assert outcome.scorer_run_id == scorer.id
        (score,) = (await box.run(run)).scores
        assert (outcome.score_id, score.source) == (score.id, "scorer")


@pytest.mark.parametrize(("comes", "expected"), [(True, "skipped"), (False, "timed_out")])
async def test_no_answer_is_told_from_no_score(
    open_box: OpenBox, *, comes: bool, expected: str
) -> None:
    """None after a wait that timed out is `timed_out`; otherwise it is `skipped`."""
    client = assay.Client("app")

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> None:
        await ctx.step.wait_for_event("w", event="reply", timeout="7d")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {})

    async with open_box(client) as box:
        run = await finish(box)
        await box.settled()
        if comes:
            await box.send(assay.Event("reply", {}))
        await box.advance("8d")
        assert states(await box.run(run.id)) == {"a": expected}


async def test_a_scorer_that_keeps_failing_leaves_a_failed_outcome(open_box: OpenBox) -> None:
    """With the reason; the parent's status is its own."""
    async with open_box(promising("a", ValueError("no \0 luck"), retries=1)) as box:
        run = await finish(box)
        await box.advance("1h")
        ended = await box.run(run.id)
        (outcome,) = ended.outcomes
        assert (ended.status, outcome.state) == ("completed", "failed")
        assert outcome.reason is not None
        assert "luck" in outcome.reason


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
async def test_a_scorer_starts_once_when_its_parent_has_ended(
    open_box: OpenBox, ending: str
) -> None:
    """Whatever the end; it sees the parent's id, function, status, output and error."""
    client, seen = assay.Client("app"), []

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> bool:
        parent = ctx.parent
        error = parent.error and parent.error["message"]  # type: ignore[index,call-overload]
        seen.append((parent.run_id, parent.function_id, parent.status, parent.output, error))
        return True

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        ctx.defer("d", s, {})
        await ctx.step.sleep("nap", "1h")
        if ending == "failed":
            raise assay.NonRetriableError("no")
        return 42

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        assert seen == []
        if ending == "cancelled":
            await client.cancel(run)
        await box.advance("2h")
        output, error = 42 if ending == "completed" else None, None
        assert seen == [(run, "f", ending, output, "no" if ending == "failed" else error)]
        assert states(await box.run(run)) == {"a": "observed"}


async def test_a_scorer_gets_the_payload_exactly(open_box: OpenBox) -> None:
    """The data is what was passed, typed by the schema, and nothing of ours is in it."""
    client = assay.Client("app")
    seen: list[object] = []

    @client.scorer("typed", schema=Payload, scores="a")
    async def typed(ctx: assay.ScorerContext[Payload]) -> None:
        seen.append(ctx.data)

    @client.scorer("plain", scores="b")
    async def plain(ctx: assay.ScorerContext) -> None:
        seen.append(ctx.data)

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", typed, Payload(ticket="tk_1"))
        ctx.defer("e", plain, {"x": [1, {"y": None}]})

    async with open_box(client) as box:
        await finish(box)
        await box.settled()
        assert Payload(ticket="tk_1") in seen
        assert {"x": [1, {"y": None}]} in seen


async def test_a_defer_that_is_refused_never_fails_the_run(open_box: OpenBox) -> None:
    """Its names become `failed` outcomes with the reason, and no scorer starts."""
    client = assay.Client("app")

    @client.scorer("s", schema=Payload, scores=["a", "b"])
    async def s(_: assay.ScorerContext[Payload]) -> None: ...

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {"ticket": 7})
        ctx.defer("e", "no scorer", {})  # type: ignore[arg-type]

    async with open_box(client) as box:
        run = await finish(box)
        assert (run.status, states(run)) == ("completed", {"a": "failed", "b": "failed"})
        assert all(one.reason and "ticket" in one.reason for one in run.outcomes)
        (warning,) = run.warnings
        assert "'e' is left out" in warning
        assert await box.runs("s") == []


async def test_a_second_defer_with_an_id_only_warns(open_box: OpenBox) -> None:
    """The first counts; the run's warnings name the id."""
    client, seen = assay.Client("app"), []

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> None:
        seen.append(ctx.data["n"])

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {"n": 1})
        ctx.defer("d", s, {"n": 2})
        await ctx.step.sleep("nap", "1s")

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1s")
        ended = await box.finished(run)
        await box.settled()
        assert seen == [1]
        (warning,) = ended.warnings
        assert "'d'" in warning


async def test_the_21st_defer_is_refused(open_box: OpenBox) -> None:
    """A run may promise 20; the run is unharmed."""
    client = assay.Client("app")

    @client.scorer("s", scores="a")
    async def s(_: assay.ScorerContext) -> None: ...

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for n in range(21):
            ctx.defer(f"d{n}", s, {})

    async with open_box(client) as box:
        run = await finish(box)
        assert run.status == "completed"
        assert {one.defer_id for one in run.outcomes if one.state == "failed"} == {"d20"}
        assert len(await box.runs("s")) == 20


async def test_a_promise_can_be_withdrawn_while_the_run_lives(open_box: OpenBox) -> None:
    """Its outcomes are `cancelled`, no scorer starts, and replay gets the same answer."""
    client, answers = assay.Client("app"), []

    @client.scorer("s", scores="a")
    async def s(_: assay.ScorerContext) -> None: ...

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        promise = ctx.defer("d", s, {})
        await ctx.step.sleep("nap", "1s")
        answers.append(promise.abort())
        await ctx.step.sleep("nap", "1s")

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1m")
        assert states(await box.finished(run)) == {"a": "cancelled"}
        assert answers == [True, True]
        assert await box.runs("s") == []


async def test_a_step_may_promise_and_withdraw(open_box: OpenBox) -> None:
    """What a step promises is kept with its memo; what it withdraws too."""
    client, tries = assay.Client("app"), Recorder()

    @client.scorer("s", scores="a")
    async def s(_: assay.ScorerContext) -> bool:
        return True

    @client.scorer("t", scores="b")
    async def t(_: assay.ScorerContext) -> bool:
        return True

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        body = ctx.defer("body", t, {})

        def work() -> None:
            tries.append("")
            ctx.defer("step", s, {})
            if len(tries) == 1:
                raise ValueError
            body.abort()

        await ctx.step.run("s", work)

    async with open_box(client) as box:
        run = await start(box)
        await box.advance("1m")
        assert (await box.run(run)).status == "completed"
        assert states(await box.run(run)) == {"a": "observed", "b": "cancelled"}
        assert [len(await box.runs(fn)) for fn in ("s", "t")] == [1, 0]


async def test_a_scorer_finds_feedback_that_came_before_it_started(open_box: OpenBox) -> None:
    """It looks back to its parent's start by itself."""
    client = assay.Client("app")

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> int | None:
        event = await ctx.step.wait_for_event("w", event="reply", timeout="1d")
        return None if event is None else event.data["n"]

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {})
        await ctx.step.sleep("nap", "1h")

    async with open_box(client) as box:
        await box.send(assay.Event("reply", {"n": 0}))
        await box.advance("1s")
        run = await start(box)
        await box.advance("1s")
        await box.send(assay.Event("reply", {"n": 1}))
        await box.advance("2h")
        assert values(await box.run(run)) == {"a": 1}


async def test_a_scorer_may_score_steps_of_its_parent_and_others(open_box: OpenBox) -> None:
    """`step_id`, `index` and `run_id` of a returned score override the target."""
    client = assay.Client("app")

    @client.scorer("s", scores=["a", "b"])
    async def s(ctx: assay.ScorerContext) -> list[assay.Score]:
        return [
            assay.Score("a", 1, step_id="answer", index=1, rationale="short", author="me"),
            assay.Score("b", 2, run_id=ctx.data["other"]),
        ]

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for _ in range(2):
            await ctx.step.run("answer", lambda: 1)
        if "other" in ctx.event.data:
            ctx.defer("d", s, {"other": ctx.event.data["other"]})

    async with open_box(client) as box:
        other = await finish(box)
        run = await finish(box, data={"other": other.id})
        await box.settled()
        (score,) = (await box.run(run.id)).scores
        assert (score.subject, score.step_id, score.index) == ("step", "answer", 1)
        assert (score.rationale, score.author) == ("short", "me")
        assert values(await box.run(other.id)) == {"b": 2}
        assert step(run, "answer", 1).status == "completed"


async def test_sync_scorers_score_too(open_box: OpenBox) -> None:
    """A `def` scorer gets a SyncScorerContext."""
    client = assay.Client("app")

    @client.scorer("s", scores="a")
    def s(ctx: assay.SyncScorerContext) -> float:
        ctx.step.sleep("nap", "1h")
        return 0.5

    @client.function("f", on="go")
    def f(ctx: assay.SyncContext) -> None:
        ctx.defer("d", s, {})

    async with open_box(client) as box:
        run = await finish(box)
        await box.advance("1h")
        assert values(await box.run(run.id)) == {"a": 0.5}
