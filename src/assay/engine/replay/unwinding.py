"""Ends every task of a body with `Parked`, leaf first, so that none is ever just dropped."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from assay.engine.replay.loop import RunFuture
from assay.errors import Parked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from contextvars import Context

    from assay.engine.replay.loop import RunLoop, RunTask
    from assay.engine.replay.replay import Ask

_ROUNDS = 50
_PLAIN: tuple[type, ...] = (RunFuture, asyncio.Future)


def unwind(loop: RunLoop, asks: Iterable[Ask], context: Context) -> list[RunTask[object]]:
    """Park the asks in their order, then all that still waits; gives what does not end.

    Generators are closed in the given context, since they have none of their own.
    """
    for ask in asks:
        if not ask.done():
            ask.set_exception(Parked())
    loop.settle()
    _park_plain_futures(loop)
    closings = [loop.create_task(_close(each), context=context) for each in loop.open_generators()]
    if closings:
        loop.settle()
        _park_plain_futures(loop)
    return loop.live_tasks()


def _park_plain_futures(loop: RunLoop) -> None:
    """Events, queues and locks; tasks and gatherings follow what they wait for."""
    for _ in range(_ROUNDS):
        futures = [_plain_future(task) for task in reversed(loop.live_tasks())]
        waiting = [future for future in futures if future is not None]
        for future in waiting:
            # Two tasks can wait for the same one.
            if not future.done():
                future.set_exception(Parked())
        if not waiting or not loop.settle():
            break


def _plain_future(task: RunTask[object]) -> asyncio.Future[object] | None:
    future: asyncio.Future[object] | None = getattr(task, "_fut_waiter", None)
    return future if type(future) in _PLAIN and future and not future.done() else None


async def _close(generator: AsyncGenerator[object, object]) -> None:
    # Whatever its clean-up raises is of no account once the run is being unwound.
    with suppress(BaseException):
        await generator.aclose()
