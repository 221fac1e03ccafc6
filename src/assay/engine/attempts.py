"""One attempt of a step: the user's code on the worker's loop or in a thread."""

from __future__ import annotations

import asyncio
import math
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from assay.engine.replay import describe
from assay.errors import AssayError, Failure
from assay.ids import span_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor
    from uuid import UUID

    from assay.clock import Clock
    from assay.engine.replay import Asked
    from assay.engine.timers import Timer
    from assay.model.events import NewEvent
    from assay.model.scores import NewScore
    from assay.sdk.port import CurrentStep, Defer, StepCall
    from assay.store.turns import Row


@dataclass(slots=True, eq=False)
class Attempt:
    """A running attempt, with what its code has given so far.

    Attributes:
        number: from 1.
        step_span: the span of the step.
        put_span: stores a span of user code.
        started_at, ended_at: seconds since 1970.
        exposures: buffered, kept when the attempt gives a memo.
        scores, events, defers: buffered, kept when the attempt fails.
        withdrawn: ids of promises of the body that it withdrew.
        is_recorded: whether it was written down before it began.
    """

    asked: Asked
    number: int
    step_span: int
    step: CurrentStep
    started_at: float
    put_span: Callable[[Row], None]
    ended_at: float = 0.0
    output: str | None = None
    failure: Failure | None = None
    error: BaseException | None = None
    exposures: list[Row] = field(default_factory=list)
    scores: list[NewScore] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    defers: list[Defer] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    is_recorded: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def key(self) -> UUID:
        """The step's key."""
        return self.asked.key

    @property
    def span(self) -> int:
        """Its own span: spans of user code are its children."""
        return span_of(self.step_span, self.number)


current_attempt: ContextVar[Attempt | None] = ContextVar("assay_attempt", default=None)
"""The attempt that the calling code runs in; set in the context of each step only."""


class LeaseLostError(Exception):
    """The worker's lease ran out between the start of an attempt and its first line."""


async def perform(
    attempt: Attempt,
    call: StepCall,
    *,
    may_act: Callable[[], bool],
    clock: Clock,
    threads: Executor,
    call_at: Callable[[float, Callable[[], None]], Timer],
) -> None:
    """Run the user's code and note how it went.

    `may_act` is asked right before the code begins, for the process may have been stopped since
    the attempt was started.

    Raises:
        LeaseLostError: it did not begin.
        asyncio.CancelledError: it is given up. Nothing else is raised.
    """
    try:
        if call.timeout_s is None:
            attempt.output = await _result(call, threads, may_act)
        else:
            timer = partial(call_at, clock.time() + call.timeout_s)
            result = _result(call, threads, may_act)
            attempt.output = await _within(call.timeout_s, result, timer)
    except LeaseLostError:
        raise
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        attempt.error = error
        attempt.failure = describe(error)
    attempt.ended_at = clock.time()


async def _within(
    seconds: float, result: Awaitable[str], start_timer: Callable[[Callable[[], None]], Timer]
) -> str:
    limit = asyncio.timeout(None)
    try:
        async with limit:
            timer = start_timer(partial(limit.reschedule, -math.inf))
            try:
                return await result
            finally:
                timer.cancel()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise AssayError(
            f"the step took longer than its {seconds:g} s",
            code="step_timeout",
            field="timeout",
            is_retriable=True,
        ) from error


def _is_cancelled() -> bool:
    """Whether the step itself is given up, rather than a task that its code waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _result(call: StepCall, threads: Executor, may_act: Callable[[], bool]) -> str:
    if call.is_async:
        given = _begin(call, may_act)
    else:
        # A thread can't be stopped: at the timeout its result is given up, not its work.
        loop = asyncio.get_running_loop()
        given = await loop.run_in_executor(threads, copy_context().run, _in_thread, call, may_act)
    return given if isinstance(given, str) else await given


def _begin(call: StepCall, may_act: Callable[[], bool]) -> str | Awaitable[str]:
    if not may_act():
        raise LeaseLostError
    return call.call()


def _in_thread(call: StepCall, may_act: Callable[[], bool]) -> str | Awaitable[str]:
    try:
        return _begin(call, may_act)
    except StopIteration as error:
        # A future can't hold one: whoever waits for it would wait for ever.
        message = "the step raised StopIteration"
        raise RuntimeError(message) from error
