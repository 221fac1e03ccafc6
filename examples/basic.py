"""A durable agent that scores its own run.

Run `assay dev examples/basic.py`, then

    assay send support/ticket.created '{"ticket": "No sign-in."}' --wait
"""

from __future__ import annotations

import assay

client = assay.Client("support-agent")


@client.function("answer-support-ticket", on="support/ticket.created")
async def answer_support_ticket(ctx: assay.Context) -> dict[str, object]:
    """Answer, check the answer, score the run."""
    answer = await ctx.step.run("generate-answer", generate_answer, ctx.event.data["ticket"])
    passed = await ctx.step.run("check-answer", validate_answer, answer)
    await ctx.step.score("score-answer-quality", name="answer-quality", value=passed)
    return {"answer": answer, "passed": passed}


async def generate_answer(ticket: str) -> str:
    """Stand for a call of your model."""
    return f"You wrote: {ticket} Please reset your password."


async def validate_answer(answer: str) -> bool:
    """Stand for your guardrail."""
    return "password" in answer
