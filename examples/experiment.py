"""Two variants of an answer, scored days later and from outside.

Run `assay dev examples/experiment.py`, then

    assay send support/ticket.created '{"ticketId": "tk_1", "accountId": "acct_42"}' --wait
    assay send support/feedback.received '{"ticketId": "tk_1", "helpful": true}'
    assay scores --json
    assay run ID
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
    """Whether the customer found it helpful: that counts for the variant that was served."""
    feedback = await ctx.step.wait_for_event(
        "wait-for-feedback",
        event="support/feedback.received",
        timeout="7d",
        match={"ticketId": ctx.data.ticket_id},
    )
    return None if feedback is None else feedback.data["helpful"]


@client.function("answer-support-ticket", on="support/ticket.created")
async def answer_support_ticket(ctx: assay.Context) -> dict[str, object]:
    """Answer in one of two styles, the same for all tickets of an account; promise the score."""
    ticket = ctx.event.data["ticketId"]
    picked = await ctx.experiment(
        "answer-style",
        variants={
            "concise": lambda: ctx.step.run("answer-concise", answer_concise, ticket),
            "detailed": lambda: ctx.step.run("answer-detailed", answer_detailed, ticket),
        },
        select=assay.bucket(ctx.event.data["accountId"], weights={"concise": 50, "detailed": 50}),
    )
    await ctx.step.score("score-length", name="answer-length", value=len(picked.result))
    feedback = FeedbackInput(ticket_id=ticket)
    ctx.defer("score-feedback", feedback_scorer, feedback, experiment=picked.ref)
    return {"answer": picked.result, "served": picked.ref.as_dict()}


async def answer_concise(ticket: str) -> str:
    """Stand for one prompt of your model."""
    return f"About {ticket}: reset your password."


async def answer_detailed(ticket: str) -> str:
    """Stand for another."""
    return f"About {ticket}: open the settings, choose security, then reset your password."
