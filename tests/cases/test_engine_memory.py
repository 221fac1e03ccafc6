"""What a run leaves behind in the worker's memory: nothing."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

import assay
from assay.engine.attempts import Attempt
from assay.engine.live import LiveRun
from assay.engine.replay import AsyncReplay
from boxes import finish, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boxes import OpenBox

pytestmark = pytest.mark.anyio


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _alive() -> int:
    return sum(isinstance(one, (LiveRun, AsyncReplay, Attempt)) for one in gc.get_objects())


@pytest.mark.usefixtures("_no_collector")
async def test_a_run_is_freed_without_the_garbage_collector(open_box: OpenBox) -> None:
    """Neither its end nor its parking leaves objects that point at each other."""
    client = assay.Client("app")

    async def double(value: int) -> int:
        return 2 * value

    def refuse() -> None:
        raise assay.NonRetriableError("no")

    @client.function("ends", on="ends")
    async def ends(ctx: assay.Context) -> int:
        first, _ = await ctx.parallel(
            ctx.step.run("async", double, 1), ctx.step.run("sync", pow, 2, 3)
        )
        try:
            await ctx.step.run("refused", refuse)
        except assay.StepError:
            return first
        return 0

    @client.function("parks", on="parks")
    async def parks(ctx: assay.Context) -> None:
        await ctx.step.wait_for_event("wait", event="never", timeout="1h")

    before = _alive()
    async with open_box(client) as box:
        assert (await finish(box, "ends")).output == 2
        await start(box, "parks")
        await box.advance("1m")
        assert _alive() == before
