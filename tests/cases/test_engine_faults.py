"""A fault of the engine itself ends one run, not the worker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

import assay
from boxes import finish

if TYPE_CHECKING:
    from assay.testing import Sandbox
    from boxes import OpenBox

pytestmark = pytest.mark.anyio


async def fails() -> None:
    """A step that fails for good."""
    raise assay.NonRetriableError("no")


async def code_of(box: Sandbox, name: str) -> str | None:
    """The code of the error that a run ends with."""
    run = await finish(box, name)
    assert run.status == "failed"
    assert run.error is not None
    return run.error.code


async def test_a_fault_in_carrying_on_a_run_fails_that_run_alone(open_box: OpenBox) -> None:
    """At its beginning, at a step's end and at a delivery alike; other runs go on."""
    client = assay.Client("app")

    @client.function("begin", on="begin")
    async def begin(ctx: assay.Context) -> str:
        raise ValueError(ctx.run_id)

    @client.function("land", on="land")
    async def land(ctx: assay.Context) -> None:
        await ctx.step.run("fails", fails)

    @client.function("deliver", on="deliver")
    async def deliver(ctx: assay.Context) -> str:
        await ctx.step.run("gives", str, 1)
        raise ValueError(ctx.run_id)

    @client.function("sound", on="sound")
    async def sound(ctx: assay.Context) -> str:
        return await ctx.step.run("gives", str, 1)

    broken = cast("Any", "a count that is none")
    for name in ("begin", "land", "deliver"):
        client.functions[name] = replace(client.functions[name], retries=broken)

    async with open_box(client) as box:
        for name in ("begin", "deliver"):
            assert await code_of(box, name) == "engine_fault"
        assert await code_of(box, "land") == "non_retriable"
        assert (await finish(box, "sound")).output == "1"
