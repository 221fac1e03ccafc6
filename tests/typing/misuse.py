"""Programs that type checkers refuse, on each line that is marked as refused. Never run."""

from __future__ import annotations

import pydantic

import assay


class Ticket(pydantic.BaseModel):
    id: str


class Feedback(pydantic.BaseModel):
    helpful: bool


client = assay.Client("support-agent")
TicketCreated = assay.EventType("support/ticket.created", Ticket)


async def generate(ticket: Ticket, *, words: int = 0) -> str:
    return ticket.id * words


@client.scorer("typed", schema=Feedback, scores="a")
async def typed(ctx: assay.ScorerContext[Feedback]) -> bool:
    return ctx.data.helpful


@client.scorer("other", schema=Feedback, scores="a")  # refused
async def other(ctx: assay.ScorerContext[Ticket]) -> bool:
    return bool(ctx.data.id)


@client.scorer("text", scores="a")  # refused
async def text(ctx: assay.ScorerContext) -> str:
    return ctx.run_id


@client.function("reverse", on="a/b")  # refused
def reverse(ctx: assay.Context) -> None:
    ctx.logger.info("seen")


@client.function("child", on=TicketCreated)
async def child(ctx: assay.Context[Ticket]) -> int:
    return len(ctx.event.data.id)


client.function("no trigger")  # refused
client.function("number", on=3)  # refused
client.scorer("no names")  # refused


@client.function("answer", on="support/ticket.created")
async def answer(ctx: assay.Context[Ticket]) -> None:
    step = ctx.step
    await step.run("generate", generate)  # refused
    await step.run("generate", generate, 3)  # refused
    await step.run("generate", generate, ctx.event.data, pages=3)  # refused
    await step.run(generate, ctx.event.data)  # refused
    await step.run("generate", generate(ctx.event.data))  # refused
    number: int = await step.run("generate", generate, ctx.event.data)  # refused
    _first, _second = await ctx.parallel(step.run("a", generate, ctx.event.data))  # refused
    await ctx.parallel(lambda: 1)  # refused
    await step.sleep("a")  # refused
    await step.sleep_until("a", "7d")  # refused
    await step.wait_for_event("a", event="b")  # refused
    event = await step.wait_for_event("a", event=TicketCreated, timeout="1d")
    event.data  # refused
    await step.invoke("a", child, 3)  # refused
    await step.invoke("a", generate, ctx.event.data)  # refused
    answered: str = await step.invoke("a", child, ctx.event.data)  # refused
    await step.score("a", name="quality", value="good")  # refused
    await step.score("a", name="quality")  # refused
    await step.send_event("a", "support/ticket.created")  # refused
    ctx.event.data.subject  # refused
    ctx.event.data["id"]  # refused
    ctx.defer("a", child, {})  # refused
    ctx.defer("a", typed, 3)  # refused
    ctx.defer("a", typed, Ticket(id="1"))  # refused
    step.options(retries="two")  # refused
    await ctx.experiment("a", variants={"a": 3}, select=assay.fixed("a"))  # refused
    await ctx.experiment("a", variants={}, select="a")  # refused
    picked = await ctx.experiment(
        "a",
        variants={"a": lambda: step.run("a", generate, ctx.event.data)},
        select=assay.weighted({"a": 1}),
    )
    text: int = picked.result  # refused
    assay.bucket("u", weights=[1, 2])  # refused
    step.options(errors=(3,))  # refused


@client.function("sync", on="a/b")
def in_sync(ctx: assay.SyncContext) -> None:
    ctx.parallel(3)  # refused
    ctx.step.run("generate", generate)  # refused
    number: str = ctx.step.invoke("a", child, {"id": "1"})  # refused


async def outside() -> None:
    TicketCreated(Feedback(helpful=True))  # refused
    TicketCreated({"id": "1"})  # refused
    assay.Event("a/b")  # refused
    await client.send("a/b")  # refused
    result: str = await client.result("01ABC", of=child)  # refused
    await client.result("01ABC", of=typed)  # refused
    await client.score("quality", "good", run_id="01ABC")  # refused
    await client.score("quality", 1, run="01ABC")  # refused
