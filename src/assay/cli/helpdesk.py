"""The functions of the second part of `assay demo`: a help desk that tries two styles of answer.

The answers stand for a model's; what is tried is what is around them: a choice by account, answers
that fail, and customers who say days later whether they were helped, or never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

import assay

if TYPE_CHECKING:
    from collections.abc import Mapping

APP = "assay-demo-helpdesk"
DESK = "answer-ticket"
OPENED = "helpdesk/ticket.opened"
FEEDBACK = "helpdesk/feedback.received"
EXPERIMENT = "helpdesk-answer-style"
HELPED = "helped"
CONTROL, VARIANT = "concise", "detailed"
PATIENCE = "3d"
"""How long a customer's word is waited for: by the scorer, and by the analysis."""

PLAN = assay.ExperimentPlan(
    primary=HELPED,
    kind="boolean",
    control=CONTROL,
    days=28,
    units=400,
    mde=0.1,
    guardrails={"run.failure": -0.05},
    maturity=PATIENCE,
    unit="account",
)


class Ticket(BaseModel):
    """What starts a run.

    Attributes:
        is_refused: whether the model will give no answer, in either style.
    """

    ticket: str
    account: str
    is_refused: bool


class Promise(BaseModel):
    """What the scorer needs to know."""

    ticket: str


def desk(weights: Mapping[str, float]) -> assay.Client:
    """The code of the help desk as it is deployed with these weights."""
    client = assay.Client(APP)
    client.experiment(EXPERIMENT, plan=PLAN)

    @client.scorer("ask-customer", schema=Promise, scores=HELPED)
    async def ask_customer(ctx: assay.ScorerContext[Promise]) -> bool | None:
        """Whether the customer was helped; None where nobody says."""
        feedback = await ctx.step.wait_for_event(
            "wait-for-feedback",
            event=FEEDBACK,
            timeout=PATIENCE,
            match={"ticket": ctx.data.ticket},
        )
        return None if feedback is None else feedback.data["helped"]

    @client.function(DESK, on=assay.EventType(OPENED, Ticket))
    async def answer_ticket(ctx: assay.Context[Ticket]) -> dict[str, Any]:
        """Answer in the style that the account is served."""
        ticket = ctx.event.data
        picked = await ctx.experiment(
            EXPERIMENT,
            variants={
                CONTROL: lambda: ctx.step.run("answer-concisely", answer, ticket, 1),
                VARIANT: lambda: ctx.step.run("answer-in-detail", answer, ticket, 3),
            },
            select=assay.bucket(ticket.account, weights=weights),
        )
        ctx.defer(
            "score-helped", ask_customer, Promise(ticket=ticket.ticket), experiment=picked.ref
        )
        return {"style": picked.variant, "answer": picked.result}

    return client


async def answer(ticket: Ticket, sentences: int) -> str:
    """An answer of so many sentences."""
    if ticket.is_refused:
        message = "the model refused to answer"
        raise assay.NonRetriableError(message)
    return " ".join(_SENTENCES[:sentences])


_SENTENCES = (
    "Reset your password.",
    "Open the settings, choose security, then reset.",
    "A link comes by mail and holds for an hour.",
)
