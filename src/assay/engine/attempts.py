"""One attempt of a step: the user's code on the worker's loop or in a thread."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.engine.replay import describe
from assay.errors import AssayError, Failure
from assay.sdk.port import CurrentStep

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from uuid import UUID

    from assay.clock import Clock
    from assay.engine.replay import Asked
    from assay.model.events import NewEvent
    from assay.model.scores import NewScore
    from assay.sdk.port import Defer, StepCall


@dataclass(slots=True, eq=False)
class Attempt:
    """A running attempt, with what its code has given so far.

    Attributes:
        number: from 1.
        span: of this attempt; spans of user code are its children.
        started_at, ended_at: seconds since 1970.
        scores, events, defers: buffered, kept when the attempt fails.
    """

    asked: Asked
    number: int
    span: int
    step: CurrentStep
    started_at: float
    ended_at: float = 0.0
    output: str | None = None
    failure: Failure | None = None
    error: BaseException | None = None
    scores: list[NewScore] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    defers: list[Defer] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    @property
    def key(self) -> UUID:
        """The step's key."""
        return self.asked.key


current_attempt: ContextVar[Attempt | None] = ContextVar("assay_attempt", default=None)
"""The attempt that the calling code runs in; set in the context of each step only."""


async def perform(attempt: Attempt, call: StepCall, *, clock: Clock, threads: Executor) -> None:
    """Run the user's code and note how it went; raises nothing but cancellation."""
    limit = asyncio.timeout(call.timeout_s)
    try:
        if call.timeout_s is None:
            attempt.output = await _result(call, threads)
        else:
            async with limit:
                attempt.output = await _result(call, threads)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a step raises is its result
        if call.timeout_s is not None and isinstance(error, TimeoutError) and limit.expired():
            error = AssayError(
                f"the step took longer than its {call.timeout_s:g} s",
                code="step_timeout",
                field="timeout",
                is_retriable=True,
            )
        attempt.error = error
        attempt.failure = describe(error)
    attempt.ended_at = clock.time()


async def _result(call: StepCall, threads: Executor) -> str:
    if call.is_async:
        given = call.call()
    else:
        # A thread can't be stopped: at the timeout its result is given up, not its work.
        loop = asyncio.get_running_loop()
        given = await loop.run_in_executor(threads, copy_context().run, call.call)
    return given if isinstance(given, str) else await given
