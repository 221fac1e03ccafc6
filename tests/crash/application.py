"""The functions that the killed workers run; what their steps do is written into a log of effects.

The log has a line an effect: run, step, index, token, pid. Its order is that of time, and a step's
memo is the token of the execution that gave it, so log and journal tell which execution counted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from pathlib import Path

import assay
from assay import ids

LOG = "EFFECTS"
"""The variable that names the log; what else the tests say lies in files beside it."""
LEASE_S = 2.0
"""Short, and yet longer than a busy machine holds up a heartbeat."""
RETRIES = 1

client = assay.Client("crash")


def log() -> Path:
    """The log of effects."""
    return Path(os.environ[LOG])


def effect() -> str:
    """Leave a durable trace of this execution; gives its token."""
    step = assay.current_step()
    assert step is not None
    token = uuid.uuid4().hex
    line = f"{ids.to_text(step.run_id)} {step.id} {step.index} {token} {os.getpid()}\n"
    handle = os.open(log(), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    return token


async def async_effect() -> str:
    """The same on the worker's loop."""
    return effect()


async def held() -> str:
    """An effect, then no end until the test says so."""
    token = effect()
    while not log().with_name("release").exists():  # noqa: ASYNC110 - told by another process
        await asyncio.sleep(0.005)
    return token


def deadly() -> str:
    """An effect that takes its worker with it."""
    effect()
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@client.scorer("judge", scores="quality")
async def judge(ctx: assay.ScorerContext[dict[str, int]]) -> float:
    """Scores its parent at once."""
    await ctx.step.run("judged", effect)
    return float(ctx.data["n"])


@client.function("child", on="crash/child")
async def child(ctx: assay.Context) -> str:
    """One step."""
    return await ctx.step.run("in-child", async_effect)


@client.function("work", on="crash/work")
async def work(ctx: assay.Context) -> list[str]:
    """Everything that has to be there exactly once."""
    n = ctx.event.data["n"]
    first = await ctx.step.run("first", async_effect)
    await ctx.step.score("note", name="noted", value=n)
    picked = await ctx.experiment(
        "style",
        variants={name: lambda: ctx.step.run("served", async_effect) for name in "ab"},
        select=assay.bucket(n),
    )
    ctx.defer("promise", judge, {"n": n}, experiment=picked.ref)
    left, right = await ctx.parallel(
        ctx.step.run("left", effect), ctx.step.run("right", async_effect)
    )
    inner = await ctx.step.invoke("inner", child, {"n": n})
    going = await ctx.step.wait_for_event("going", event="crash/go", match={"n": n}, timeout="1h")
    assert going is not None
    last = await ctx.step.run("last", async_effect)
    return [first, picked.result, left, right, inner, last]


@client.function("one", on="crash/one")
async def one(ctx: assay.Context) -> list[str]:
    """One step that ends when told, then another."""
    return [
        await ctx.step.run("held", held),
        await ctx.step.run("after", async_effect),
    ]


@client.function("two", on="crash/two")
async def two(ctx: assay.Context) -> list[str]:
    """Two plain steps."""
    return [
        await ctx.step.run("before", async_effect),
        await ctx.step.run("after", async_effect),
    ]


@client.function("killer", on="crash/killer", retries=RETRIES)
async def killer(ctx: assay.Context) -> str:
    """A step that kills each worker that runs it."""
    return await ctx.step.run("deadly", deadly)


@client.function("waiter", on="crash/waiter")
async def waiter(ctx: assay.Context) -> bool:
    """Waits for an event with its own number."""
    n = ctx.event.data["n"]
    found = await ctx.step.wait_for_event("wait", event="crash/go", match={"n": n}, timeout="1h")
    await ctx.step.run("woken", async_effect)
    return found is not None
