"""Programs that type checkers accept, with the types that they infer. Never run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_type

import pydantic

import assay


class Ticket(pydantic.BaseModel):
    id: str
    text: str


class Feedback(pydantic.BaseModel):
    helpful: bool


@dataclass
class Answer:
    text: str


client = assay.Client("support-agent")
TicketCreated = assay.EventType("support/ticket.created", Ticket)
FeedbackReceived = assay.EventType("support/feedback.received", Feedback)


async def generate(ticket: Ticket, *, id: int = 0) -> Answer:
    return Answer(f"{ticket.text} {id}")


def check(answer: Answer) -> bool:
    return bool(answer.text)


async def count() -> int:
    return 1


@client.scorer("feedback", schema=Feedback, scores="user-feedback")
async def feedback_scorer(ctx: assay.ScorerContext[Feedback]) -> bool | None:
    assert_type(ctx.data, Feedback)
    assert_type(ctx.parent.run_id, str)
    assert_type(ctx.parent.experiment, assay.ExperimentRef | None)
    event = await ctx.step.wait_for_event("wait", event=FeedbackReceived, timeout="7d")
    return None if event is None else event.data.helpful


@client.scorer("bare", scores=["a", "b"])
async def bare_scorer(ctx: assay.ScorerContext) -> list[assay.Score]:
    assert_type(ctx.data, dict[str, Any])
    return [assay.Score("a", 1), assay.Score("b", True, rationale="why")]


@client.scorer("sync", scores="a")
def sync_scorer(ctx: assay.SyncScorerContext[Ticket]) -> float:
    assert_type(ctx.data, Ticket)
    return 0.5


assert_type(feedback_scorer, assay.Scorer[Feedback])
assert_type(bare_scorer, assay.Scorer[dict[str, Any]])
assert_type(sync_scorer, assay.Scorer[Ticket])


@client.function("child", on=TicketCreated)
async def child(ctx: assay.Context[Ticket]) -> Answer:
    return await ctx.step.run("generate", generate, ctx.event.data)


assert_type(child, assay.Function[Answer, Ticket])


@client.function(
    "answer",
    on=["support/*", assay.on("order/paid", if_="event.data.total > 1"), TicketCreated],
    retries=2,
)
async def answer_ticket(ctx: assay.Context[Ticket]) -> dict[str, object]:
    step = ctx.step
    assert_type(ctx.event, assay.Event[Ticket])
    assert_type(ctx.event.data.id, str)
    assert_type(ctx.sessions, dict[str, str])

    answer = await step.run("generate", generate, ctx.event.data, id=3)
    assert_type(answer, Answer)
    assert_type(await step.run("check", check, answer), bool)
    assert_type(await step.run("lambda", lambda: generate(ctx.event.data, id=1)), Answer)
    assert_type(await step.run("sync lambda", lambda: answer.text), str)
    limited = step.options(retries=0, timeout=timedelta(seconds=3), errors=(ValueError,))
    assert_type(await limited.run("count", count), int)

    assert_type(
        await ctx.parallel(step.run("a", count), step.run("b", check, answer), step.sleep("c", 1)),
        tuple[int, bool, None],
    )
    eight = await ctx.parallel(
        step.run("1", count),
        step.run("2", check, answer),
        step.run("3", count),
        step.run("4", check, answer),
        step.run("5", count),
        step.run("6", generate, ctx.event.data),
        step.run("7", count),
        step.run("8", generate, ctx.event.data),
    )
    assert_type(eight, tuple[int, bool, int, bool, int, Answer, int, Answer])
    many = await ctx.parallel(*[step.run("n", count) for _ in range(9)])
    assert_type(many, tuple[int, ...])
    one, other = await asyncio.gather(step.run("a", count), step.run("b", check, answer))
    assert_type(one, int)
    assert_type(other, bool)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(step.run("a", count))
    assert_type(task.result(), int)

    typed = await step.wait_for_event("typed", event=FeedbackReceived, timeout="1d")
    assert_type(typed, assay.Event[Feedback] | None)
    bare = await step.wait_for_event("bare", event="a/b", timeout="1d", match={"a.b": 1})
    assert_type(bare, assay.Event[dict[str, Any]] | None)

    assert_type(await step.invoke("child", child, ctx.event.data), Answer)
    assert_type(await step.invoke("child", child, {"id": "1", "text": ""}, timeout="1h"), Answer)
    assert_type(await step.invoke("sync", in_sync), int)
    await step.score("score", name="quality", value=True, step_id="generate", index=1)
    assert_type(
        (await step.send_event("send", TicketCreated(ctx.event.data))).run_ids, tuple[str, ...]
    )

    assert_type(ctx.defer("later", feedback_scorer, {"helpful": True}), assay.Deferred)
    ctx.defer("typed", feedback_scorer, Feedback(helpful=True), sessions={"a": assay.DROP}).abort()
    ref = assay.ExperimentRef(experiment="style", variant="short")
    ctx.defer("named", feedback_scorer, {"helpful": True}, experiment=ref)
    assert_type(await client.score_experiment("a", 1, experiment=ref), None)
    await client.score_experiment("a", True, experiment=ref.as_dict(), run_id="01")
    return {"answer": answer.text}


@client.function("choose", on="a/b")
async def choose(ctx: assay.Context) -> None:
    step = ctx.step
    answer = Answer("")
    alike = await ctx.experiment(
        "style",
        variants={
            "a": lambda: step.run("a", check, answer),
            "b": lambda: step.run("b", check, answer),
        },
        select=assay.bucket("account", weights={"a": 1, "b": 1}),
    )
    assert_type(alike, assay.Picked[bool])
    assert_type(alike.result, bool)
    assert_type(alike.ref, assay.ExperimentRef)
    unlike: assay.Picked[int | bool] = await ctx.experiment(
        "kinds",
        variants={"a": lambda: step.run("a", count), "b": lambda: step.run("b", check, answer)},
        select=assay.weighted({"a": 1, "b": 1}),
    )
    assert_type(unlike.result, int | bool)


@client.function("sync", on="*")
def in_sync(ctx: assay.SyncContext) -> int:
    step = ctx.step
    assert_type(ctx.event.data, dict[str, Any])
    assert_type(step.run("check", check, Answer("")), bool)
    assert_type(step.run("count", count), int)
    assert_type(ctx.parallel(lambda: step.run("a", count), lambda: "b"), tuple[int, str])
    assert_type(step.invoke("child", child, {"id": "1"}), Answer)
    waited = step.wait_for_event("typed", event=FeedbackReceived, timeout="1d")
    assert_type(waited, assay.Event[Feedback] | None)
    picked = ctx.experiment(
        "style",
        variants={"a": lambda: step.run("a", count)},
        select=assay.custom(lambda: "a"),
    )
    assert_type(picked, assay.Picked[int])
    step.sleep("pause", "1s")
    return step.options(timeout=3).run("count", count)


async def outside(ctx: assay.Context[Ticket]) -> None:
    sent = await client.send([assay.Event("a/b", {"n": 1}), TicketCreated(Ticket(id="", text=""))])
    assert_type(sent, assay.Sent)
    assert_type(await client.result(sent.run_ids[0], of=child, timeout="30s"), Answer)
    assert_type(await client.result(sent.run_ids[0], of=in_sync), int)
    await client.score("quality", 1, run_id="01ABC", rationale="why")
    await client.cancel("01ABC")
    assert_type(client.sync.result("01ABC", of=child), Answer)
    assert_type(client.sync.send(assay.Event("a/b", {})), assay.Sent)
    assert_type(assay.Event("a/b", {}), assay.Event[dict[str, Any]])
    assert_type(TicketCreated(Ticket(id="", text="")), assay.Event[Ticket])
    assert_type(await child(ctx), Answer)
