"""Statements 1-15 on direct scoring, with the differences that Assay means to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import assay
from assay.ids import to_text
from boxes import finish, start, step, values

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


def scoring(*named: tuple[str, Any]) -> assay.Client:
    """A client with a function `f` that gives these scores one after the other."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        for name, value in named:
            await ctx.step.score("score", name=name, value=value)

    return client


async def test_scoring_needs_no_middleware(open_box: OpenBox) -> None:
    """1, 2: step.score and client.score are always there; no setting can take them away."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="a", value=1)
        await client.score("b", 2)

    async with open_box(client) as box:
        assert values(await finish(box)) == {"a": 1, "b": 2}


async def test_the_basic_example_leaves_one_score_on_the_run(open_box: OpenBox) -> None:
    """3: after the run `answer-quality` is the boolean that it came to."""
    client = assay.Client("support-agent")

    async def answer(question: str) -> str:
        return question.upper()

    @client.function("answer-support-ticket", on="support/ticket.created")
    async def answer_ticket(ctx: assay.Context) -> dict[str, object]:
        text = await ctx.step.run("answer", answer, ctx.event.data["question"])
        passed = await ctx.step.run("check", bool, text)
        await ctx.step.score("score-answer-quality", name="answer-quality", value=passed)
        return {"answer": text, "passed": passed}

    async with open_box(client) as box:
        run = await finish(box, "support/ticket.created", {"question": "why?"})
        (score,) = await box.scores(run.id)
        assert (score.name, score.value, score.subject) == ("answer-quality", True, "run")


async def test_a_score_is_written_once_however_often_its_body_runs(open_box: OpenBox) -> None:
    """4: replays, retries of the body and crashes write nothing more."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="a", value=1)
        await client.score("b", True)
        await ctx.step.sleep("nap", "1m")
        if ctx.attempt < 3:
            raise ValueError

    async with open_box(client) as box:
        box.crash_after(commit=2)
        run = await start(box)
        await box.advance("1h")
        assert (await box.finished(run)).status == "completed"
        assert sorted(score.name for score in await box.scores(run)) == ["a", "b"]


async def test_a_score_stays_when_its_run_fails(open_box: OpenBox) -> None:
    """5: a failed run keeps what it was given."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="a", value=1)
        raise assay.NonRetriableError("no")

    async with open_box(client) as box:
        run = await finish(box)
        assert (run.status, values(run)) == ("failed", {"a": 1})


async def test_the_last_score_of_a_name_counts_and_the_others_are_kept(open_box: OpenBox) -> None:
    """6: two ids, one name, one run: the latest is the last; the history has both."""
    async with open_box(scoring(("a", 1), ("a", 2))) as box:
        run = await finish(box)
        assert values(run) == {"a": 2}
        history = await box.scores(run.id)
        assert [(score.value, score.is_latest) for score in history] == [(1, False), (2, True)]


async def test_booleans_stay_booleans_and_aggregate_as_numbers(open_box: OpenBox) -> None:
    """7: true, false, true make two thirds; the raw values are still booleans."""
    client = scoring()

    @client.function("judge", on="judge")
    async def judge(ctx: assay.Context) -> None:
        await ctx.step.score("s", name="ok", value=ctx.event.data["ok"])

    async with open_box(client) as box:
        runs = [
            await finish(box, "judge", {"ok": ok}, sessions={"day": "1"})
            for ok in (True, False, True)
        ]
        assert [values(run)["ok"] for run in runs] == [True, False, True]
        response = await box.get("sessions/day/1")
        (score,) = response["scores"]
        assert (score["n"], round(score["mean"], 6)) == (3, 0.666667)


@pytest.mark.parametrize("value", ["1", float("nan"), float("inf"), None, {}])
async def test_a_value_that_is_no_score_is_refused(open_box: OpenBox, value: Any) -> None:
    """8: only a finite number or a boolean is one; the refusal is not tried again."""
    async with open_box(scoring(("a", value))) as box:
        run = await finish(box)
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "score_value")
        assert "finite number or boolean" in run.error.message
        assert run.scores == []


async def test_numbers_and_booleans_are_told_apart(open_box: OpenBox) -> None:
    """8: 0.42 and 1 are numbers, True is not 1."""
    async with open_box(scoring(("a", 0.42), ("b", 1), ("c", True))) as box:
        run = await finish(box)
        assert [(s.value, type(s.value)) for s in sorted(run.scores, key=lambda s: s.name)] == [
            (0.42, float),
            (1, int),
            (True, bool),
        ]


@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        ("x" * 128, True),
        ("x" * 129, False),
        ("é" * 64, True),
        ("é" * 64 + "x", False),
        ("it's", False),
        ("a\tb", False),
        ("  ", False),
        (" a ", True),
    ],
)
async def test_the_rules_of_a_score_name(open_box: OpenBox, name: str, *, is_good: bool) -> None:
    """9: 128 bytes of UTF-8, no quotes or control characters; never trimmed."""
    async with open_box(scoring((name, 1))) as box:
        run = await finish(box)
        assert values(run) == ({name: 1} if is_good else {})
        assert run.status == ("completed" if is_good else "failed")


async def test_a_renamed_score_is_another_series(open_box: OpenBox) -> None:
    """10: each name has values of its own."""
    async with open_box(scoring(("old", 1), ("new", 2))) as box:
        assert values(await finish(box)) == {"old": 1, "new": 2}


async def test_where_a_score_without_ids_lands(open_box: OpenBox) -> None:
    """11: body: the run. Step: that attempt; with run_id the run; with step_id that step."""
    client = assay.Client("app")

    async def inside() -> None:
        await client.score("attempt", 1)
        await client.score("run", 2, run_id=to_text(assay.current_step().run_id))
        await client.score("other", 3, step_id="first")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await client.score("body", 0)
        await ctx.step.run("first", lambda: 1)
        await ctx.step.run("second", inside)

    async with open_box(client) as box:
        run = await finish(box)
        assert {s.name: (s.subject, s.step_id, s.attempt) for s in run.scores} == {
            "body": ("run", None, None),
            "attempt": ("step", "second", 1),
            "run": ("run", None, None),
            "other": ("step", "first", None),
        }


async def test_scoring_from_outside_needs_the_run(open_box: OpenBox) -> None:
    """12: without a run id there is no run context; with one it lands there; unknown is refused."""
    client = scoring()
    async with open_box(client) as box:
        run = await finish(box)
        with pytest.raises(assay.AssayError, match="No run context available"):
            await client.score("a", 1)
        await client.score("a", 1, run_id=run.id)
        assert values(await box.run(run.id)) == {"a": 1}
        with pytest.raises(assay.AssayError) as caught:
            await client.score("a", 1, run_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")
        assert caught.value.code == "run_not_found"


async def test_a_run_scores_itself_and_never_another(open_box: OpenBox) -> None:
    """13: B scoring without a run id lands on B, invoked by A though it was."""
    client = assay.Client("app")

    @client.function("b", on="never")
    async def b(_: assay.Context) -> None:
        await client.score("who", 2)

    @client.function("a", on="go")
    async def a(ctx: assay.Context) -> None:
        await ctx.step.invoke("i", b)
        await client.score("who", 1)

    async with open_box(client) as box:
        run = await finish(box)
        (child,) = await box.runs("b")
        assert values(run) == {"who": 1}
        assert values(await box.run(child.id)) == {"who": 2}


async def test_a_score_of_an_attempt_survives_its_failure(open_box: OpenBox) -> None:
    """14: each attempt keeps the score that it gave."""
    client = assay.Client("app")

    async def score_and_fail() -> None:
        attempt = assay.current_step().attempt
        await client.score("a", attempt)
        if attempt == 1:
            raise ValueError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("s", score_and_fail)

    async with open_box(client) as box:
        run = await start(box)
        await box.settled()
        (first,) = await box.scores(run)
        assert (first.value, first.attempt) == (1, 1)
        await box.advance("15s")
        assert [(s.value, s.attempt) for s in await box.scores(run)] == [(1, 1), (2, 2)]
        assert values(await box.finished(run)) == {"a": 2}


async def test_a_score_for_a_step_that_never_ran_is_reported(open_box: OpenBox) -> None:
    """15: it is taken, and shown as an orphan on the run."""
    client = assay.Client("app")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        await ctx.step.run("real", lambda: 1)
        await ctx.step.score("s", name="a", value=1, step_id="real", index=1)

    async with open_box(client) as box:
        run = await finish(box)
        (score,) = run.scores
        assert score.is_orphan
        (warning,) = run.warnings
        assert "'real'" in warning
        assert step(run, "real").status == "completed"


async def test_the_same_score_id_sent_twice_is_one_score(open_box: OpenBox) -> None:
    """An addition to 12: the giver mints the id, so that sending again is safe."""
    client = scoring()
    async with open_box(client) as box:
        run = await finish(box)
        for value in (1, 2):
            await client.score("a", value, run_id=run.id, id=run.id)
        assert [score.value for score in await box.scores(run.id)] == [1]
