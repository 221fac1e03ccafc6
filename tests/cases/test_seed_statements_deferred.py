"""Statements 16-25 on deferred scoring, with the differences that Assay means to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydantic
import pytest

import assay
from boxes import Recorder, finish, start, states, values

if TYPE_CHECKING:
    from boxes import OpenBox

pytestmark = pytest.mark.anyio
TICKET = "support/ticket.created"
FEEDBACK = "support/feedback.received"


class FeedbackInput(pydantic.BaseModel):
    """What the scorer of the example is given."""

    ticket_id: str


def support(timeout: str = "7d") -> assay.Client:
    """The example: a function that promises a scorer, which waits for feedback."""
    client = assay.Client("support-agent")

    @client.scorer("support-feedback-scorer", schema=FeedbackInput, scores="user-feedback")
    async def feedback_scorer(ctx: assay.ScorerContext[FeedbackInput]) -> bool | None:
        feedback = await ctx.step.wait_for_event(
            "wait-for-feedback",
            event=FEEDBACK,
            timeout=timeout,
            match={"ticketId": ctx.data.ticket_id},
        )
        return None if feedback is None else feedback.data["helpful"]

    @client.function("answer-support-ticket", on=TICKET)
    async def answer(ctx: assay.Context) -> None:
        ctx.defer("score-feedback", feedback_scorer, {"ticket_id": ctx.event.data["ticketId"]})
        await ctx.step.sleep("think", "1h")
        if ctx.event.data.get("fails"):
            raise assay.NonRetriableError("no")

    return client


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
async def test_a_scorer_starts_once_after_its_parent_has_ended(
    open_box: OpenBox, ending: str
) -> None:
    """16: completed, failed or cancelled; never before, and one though the end is repeated."""
    client = support()
    async with open_box(client) as box:
        run = await start(box, TICKET, {"ticketId": "tk", "fails": ending == "failed"})
        await box.settled()
        assert await box.runs("support-feedback-scorer") == []
        if ending == "cancelled":
            await client.cancel(run)
            await client.cancel(run)
        else:
            box.crash_before(commit=1)
        await box.advance("1h")
        assert (await box.finished(run)).status == ending
        assert len(await box.runs("support-feedback-scorer")) == 1


async def test_a_scorers_failure_and_a_misused_defer_leave_the_parent_alone(
    open_box: OpenBox,
) -> None:
    """17: the parent completes, and not later than without."""
    client = assay.Client("app")

    @client.scorer("s", schema=FeedbackInput, scores="a", retries=0)
    async def s(_: assay.ScorerContext[FeedbackInput]) -> None:
        raise ValueError

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> str:
        ctx.defer("fails", s, {"ticket_id": "tk"})
        ctx.defer("misfit", s, {"ticket_id": 7})
        ctx.defer("none", None, {})  # type: ignore[arg-type]
        return "done"

    async with open_box(client) as box:
        run = await finish(box)
        await box.settled()
        ended = await box.run(run.id)
        assert (ended.status, ended.output, ended.ended_at) == ("completed", "done", run.queued_at)
        assert {one.state for one in ended.outcomes} == {"failed"}


async def test_the_payload_and_the_parent_are_the_scorers_to_read(open_box: OpenBox) -> None:
    """18: the data equals the payload exactly; the parent is named, with how it ended."""
    client = assay.Client("app")
    seen: list[object] = []

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> None:
        seen.extend([ctx.data, ctx.parent.run_id, ctx.parent.status, ctx.parent.output])

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> int:
        ctx.defer("d", s, {"ticketId": "tk"})
        return 42

    async with open_box(client) as box:
        run = await finish(box)
        await box.settled()
        assert seen == [{"ticketId": "tk"}, run.id, "completed", 42]


async def test_a_returned_score_is_on_the_parent(open_box: OpenBox) -> None:
    """19: not on the scorer's own run; run and step ids in the result override."""
    async with open_box(support()) as box:
        run = await start(box, TICKET, {"ticketId": "tk"})
        await box.advance("2h")
        await box.send(assay.Event(FEEDBACK, {"ticketId": "tk", "helpful": False}))
        await box.settled()
        (scorer,) = await box.runs("support-feedback-scorer")
        assert values(await box.run(run)) == {"user-feedback": False}
        assert (await box.run(scorer.id)).scores == []


async def test_none_is_no_score_and_silence_is_not_zero(open_box: OpenBox) -> None:
    """20: a wait that timed out is censored: no score, and an outcome that says so."""
    async with open_box(support()) as box:
        run = await start(box, TICKET, {"ticketId": "tk"})
        await box.advance("8d")
        ended = await box.run(run)
        assert (values(ended), states(ended)) == ({}, {"user-feedback": "timed_out"})


async def test_feedback_goes_to_its_own_ticket_alone(open_box: OpenBox) -> None:
    """21: another ticket's resolves nothing, and a quote in an id alters nothing."""
    tickets = ["tk_1", "tk_2", "' || true || '"]
    async with open_box(support()) as box:
        runs = [await start(box, TICKET, {"ticketId": ticket}) for ticket in tickets]
        await box.advance("2h")
        await box.send(assay.Event(FEEDBACK, {"ticketId": "tk_2", "helpful": True}))
        await box.send(assay.Event(FEEDBACK, {"ticketId": "tk_3", "helpful": False}))
        await box.settled()
        found = [values(await box.run(run)) for run in runs]
        assert found == [{}, {"user-feedback": True}, {}]


async def test_early_feedback_is_found(open_box: OpenBox) -> None:
    """22: what came before the wait began is found, back to the parent's start."""
    async with open_box(support()) as box:
        run = await start(box, TICKET, {"ticketId": "tk"})
        await box.advance("1m")
        await box.send(assay.Event(FEEDBACK, {"ticketId": "tk", "helpful": True}))
        await box.advance("2h")
        assert values(await box.run(run)) == {"user-feedback": True}


async def test_duplicate_aborted_and_excess_defers(open_box: OpenBox) -> None:
    """23: one scorer for an id used twice, none for an aborted one; the 21st is refused."""
    client = assay.Client("app")

    @client.scorer("s", scores="a")
    async def s(_: assay.ScorerContext) -> None: ...

    @client.function("twice", on="twice")
    async def twice(ctx: assay.Context) -> None:
        for _ in range(2):
            ctx.defer("d", s, {})

    @client.function("abort", on="abort")
    async def abort(ctx: assay.Context) -> None:
        ctx.defer("d", s, {}).abort()

    @client.function("many", on="many")
    async def many(ctx: assay.Context) -> None:
        for n in range(21):
            ctx.defer(f"d{n}", s, {})

    async with open_box(client) as box:
        for name, scorers in (("twice", 1), ("abort", 1), ("many", 21)):
            run = await finish(box, name)
            assert (run.status, len(await box.runs("s"))) == ("completed", scorers)
            assert bool(run.warnings) == (name == "twice")


async def test_a_payload_that_fails_its_schema(open_box: OpenBox) -> None:
    """24: at the sender the promise is refused, with the reason; no run of the scorer starts."""
    client = assay.Client("app")

    @client.scorer("s", schema=FeedbackInput, scores="a")
    async def s(_: assay.ScorerContext[FeedbackInput]) -> None: ...

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {"ticket": "tk"})

    async with open_box(client) as box:
        run = await finish(box)
        (outcome,) = run.outcomes
        assert outcome.state == "failed"
        assert outcome.reason is not None
        assert "ticket_id" in outcome.reason
        assert await box.runs("s") == []


async def test_a_scorer_that_is_replayed_and_crashes_scores_once(open_box: OpenBox) -> None:
    """25: one write, whatever its waits, retries and crashes."""
    client, tries = assay.Client("app"), Recorder()

    @client.scorer("s", scores="a")
    async def s(ctx: assay.ScorerContext) -> bool:
        await ctx.step.sleep("nap", "1h")
        tries.append("")
        if ctx.attempt == 1:
            raise ValueError
        return True

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {})

    async with open_box(client) as box:
        run = await finish(box)
        box.crash_before(commit=2)
        await box.advance("2h")
        assert [score.value for score in await box.scores(run.id)] == [True]
        assert states(await box.run(run.id)) == {"a": "observed"}
