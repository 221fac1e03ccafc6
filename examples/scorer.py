"""A score that comes days later.

Run `assay dev examples/scorer.py`, then

    assay send support/ticket.created '{"ticketId": "tk_1"}'
    assay send support/feedback.received '{"ticketId": "tk_1", "helpful": true}'
    assay outcomes
"""

from __future__ import annotations

import pydantic

import assay

client = assay.Client("support-agent")


class FeedbackInput(pydantic.BaseModel):
    """What the scorer has to know."""

    ticket_id: str


@client.scorer("support-feedback-scorer", schema=FeedbackInput, scores="user-feedback")
async def feedback_scorer(ctx: assay.ScorerContext[FeedbackInput]) -> bool | None:
    """Whether the customer found it helpful; None, so no response, where nobody says in a week."""
    feedback = await ctx.step.wait_for_event(
        "wait-for-feedback",
        event="support/feedback.received",
        timeout="7d",
        match={"ticketId": ctx.data.ticket_id},
    )
    return None if feedback is None else feedback.data["helpful"]


@client.function("answer-support-ticket", on="support/ticket.created")
async def answer_support_ticket(ctx: assay.Context) -> dict[str, str]:
    """Answer now, promise the score."""
    answer = await ctx.step.run("generate-answer", generate_answer, ctx.event.data["ticketId"])
    ctx.defer("score-feedback", feedback_scorer, {"ticket_id": ctx.event.data["ticketId"]})
    return {"answer": answer}


async def generate_answer(ticket_id: str) -> str:
    """Stand for a call of your model."""
    return f"About {ticket_id}: please reset your password."
