"""Code for pages on which nothing is yet: it runs against this very server as it stands there."""

from __future__ import annotations

import json
import shlex

_FUNCTION = """\
import assay

client = assay.Client("my-agent")


@client.function("answer", on="question/asked")
async def answer(ctx: assay.Context) -> str:
    text = await ctx.step.run("think", lambda: f"You asked: {ctx.event.data['question']}")
    await ctx.step.score("score-length", name="is-short", value=len(text) < 200)
    return text
"""

_EXPERIMENT = """\
import assay

client = assay.Client("my-agent")


@client.function("answer-in-style", on="question/asked")
async def answer_in_style(ctx: assay.Context) -> str:
    question = ctx.event.data["question"]
    picked = await ctx.experiment(
        "answer-style",
        variants={
            "concise": lambda: ctx.step.run("concise", lambda: f"{question} Yes."),
            "detailed": lambda: ctx.step.run("detailed", lambda: f"{question} Yes, and why."),
        },
        select=assay.bucket(ctx.event.data["account"], weights={"concise": 50, "detailed": 50}),
    )
    await ctx.step.score("score-length", name="is-short", value=len(picked.result) < 40)
    return picked.result


# What decides, said before there are numbers.
client.experiment(
    "answer-style",
    plan=assay.ExperimentPlan(primary="is-short", kind="boolean", days=28, mde=0.05, maturity="1h"),
)
"""
_SCORER = """\
import assay

client = assay.Client("my-agent")


@client.scorer("feedback-scorer", scores="user-feedback")
async def feedback_scorer(ctx: assay.ScorerContext) -> bool | None:
    found = await ctx.step.wait_for_event(
        "feedback", event="feedback/received", timeout="7d", match={"ticket": ctx.data["ticket"]}
    )
    return None if found is None else found.data["helpful"]


@client.function("answer-ticket", on="ticket/opened")
async def answer_ticket(ctx: assay.Context) -> str:
    text = await ctx.step.run("think", lambda: "Please try again.")
    ctx.defer("feedback", feedback_scorer, {"ticket": ctx.event.data["ticket"]})
    return text
"""


def first_function() -> str:
    """A file `app.py` with one function that scores itself."""
    return _FUNCTION


def first_experiment() -> str:
    """The same with two variants, and a plan."""
    return _EXPERIMENT


def first_scorer() -> str:
    """The same with a score that comes later."""
    return _SCORER


def posting(server: str, path: str, body: object, *, wants_key: bool) -> str:
    """A command that posts JSON to this server's API."""
    key = '-H "Authorization: Bearer $ASSAY_API_KEY" ' if wants_key else ""
    url, text = shlex.quote(f"{server}/api/v1/{path}"), shlex.quote(json.dumps(body))
    return f"curl {key}{url} -d {text}"
