"""Running a process until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

import uvloop

from assay.engine.garbage import collect_less

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")

GRACE_S = 3
"""How long what still goes on may take when a process ends."""


async def unless(stop: asyncio.Event, work: Coroutine[object, object, T]) -> T | None:
    """What *work* gives, None where the process is to end before; then it is cancelled."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def run(main: Callable[[asyncio.Event], Coroutine[object, object, None]]) -> None:
    """Run a process on a fast event loop; its argument is set when the process is to end.

    SIGTERM and SIGINT set it, so that all that was started is stopped in order.
    """

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await main(stop)

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    collect_less()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_stopped())


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM unwind what blocks before the event loop runs, as SIGINT does."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
