"""The steps of a live run: attempts in flight, what they left behind, when they are tried again."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from assay.engine.attempts import Attempt, LeaseLostError, current_attempt, perform
from assay.engine.claimed import Tries
from assay.engine.failures import check_size, coded, to_json
from assay.engine.retries import delay_s
from assay.engine.tracing import enter
from assay.errors import RetryAfterError
from assay.ids import to_text
from assay.model.journal import Memo
from assay.sdk.port import Choice, CurrentStep, ScoreWrite, StepCall

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from assay.engine.replay import Asked
    from assay.engine.running import Running
    from assay.errors import Failure
    from assay.model.scores import NewScore


class Stepping:
    """Performs the steps of one live run.

    Attributes:
        retries: steps that wait for their next attempt, with its instant.
    """

    def __init__(self, run: Running) -> None:
        self._run = run
        self._flying: dict[UUID, Attempt] = {}
        self._waiting: dict[UUID, Asked] = {}
        self._abandoned: set[UUID] = set()
        self._asking: asyncio.Task[None] | None = None
        # What follows a step is no part of it.
        self._home = copy_context()
        self.retries: dict[UUID, float] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a step is in flight that the body still waits for, or its end is looked at."""
        return len(self._flying) > len(self._abandoned) or self.is_ending

    @property
    def is_ending(self) -> bool:
        """Whether the body has ended with scores of which it is not known whether they may stay."""
        return self._asking is not None

    def end(self, scored: set[UUID], conclude: Callable[[Failure | None], None]) -> None:
        """Conclude once it is known whether there are the runs that a scorer's result scores."""

        async def ask() -> None:
            try:
                unknown = await self._unknown(scored)
                self._asking = None
                if not self._run.is_over:
                    conclude(_no_run(min(unknown)) if unknown else None)
            except Exception as error:  # noqa: BLE001 - nobody awaits this task
                self._run.fault(error)

        self._asking = asyncio.get_running_loop().create_task(ask())

    def call_of(self, asked: Asked) -> StepCall | None:
        """What is performed as a step: user code, and what only the database can tell."""
        run, operation = self._run, asked.operation
        match operation.request:
            case StepCall() as call:
                return call
            case ScoreWrite(score=score) if not run.owns(score.run):
                return scoring_another(score)
            case Choice() as choice if run.host.choosing.needs_database(operation.name, choice):
                return run.host.choosing.step(operation.name, choice, run.info)
            case _:
                return None

    def start(self, asked: Asked, call: StepCall) -> None:
        """Begin the next attempt, or wait until it may begin."""
        run = self._run
        tries = run.tries.get(asked.key) if run.tries else None
        if tries is None:
            self._begin(asked, call, 1)
        elif tries.open_since is not None:
            self._count_lost(asked, call, tries.made, tries.open_since)
        elif tries.retry_at > run.host.clock.time():
            self._waiting[asked.key] = asked
            self.retries[asked.key] = tries.retry_at
        else:
            self._begin(asked, call, tries.made + 1)

    def retry(self) -> None:
        """Begin the next attempt of the steps that wait for it, where its time has come."""
        now = self._run.host.clock.time()
        for key in [key for key, at in self.retries.items() if at <= now]:
            asked = self._waiting.pop(key)
            del self.retries[key]
            call = self.call_of(asked)
            if call is not None:
                self._begin(asked, call, self._run.tries[key].made + 1)

    def abandon(self, key: UUID) -> None:
        """The body no longer waits for a step; if in flight, its memo is still kept."""
        if key in self._flying:
            self._abandoned.add(key)
        if self._waiting.pop(key, None) is not None:
            del self.retries[key]

    def give_up(self, now: float) -> None:
        """Give up what is in flight, and write that it ended without a result: so does the run."""
        for attempt in self._flying.values():
            if attempt.task is not None:
                attempt.ended_at = now
                self._run.writes.attempts.append(self._row(attempt))
        self.stop()

    def stop(self) -> None:
        """Give up what is in flight: the run is no longer live here."""
        for attempt in self._flying.values():
            if attempt.task is not None:
                attempt.task.cancel()
        if self._asking is not None:
            self._asking.cancel()
        self._flying.clear()
        self._abandoned.clear()

    def _begin(self, asked: Asked, call: StepCall, number: int) -> None:
        run = self._run
        tries = run.tries.get(asked.key) if run.tries else None
        attempt = self._attempt(asked, number, run.host.ids.span() if tries is None else tries.span)
        self._flying[asked.key] = attempt
        if run.is_suspect or number > 1:
            # A step of this run may have killed its worker: should it do so again, it is counted.
            # So is every further attempt, since parking forgets the losses.
            attempt.is_recorded = True
            run.writes.attempts.append(self._row(attempt))
            run.writes.started.append(partial(self._fly, attempt, call))
            run.submit()
        else:
            run.when_durable(partial(self._fly, attempt, call))

    def _attempt(self, asked: Asked, number: int, step_span: int) -> Attempt:
        run = self._run
        host = run.host
        return Attempt(
            asked=asked,
            number=number,
            step_span=step_span,
            step=CurrentStep(
                run_id=run.id, id=asked.operation.name, index=asked.index, attempt=number
            ),
            started_at=host.clock.time(),
            put_span=host.spans.put,
        )

    def _fly(self, attempt: Attempt, call: StepCall) -> None:
        run = self._run
        if run.is_over:
            return
        context = attempt.asked.context.copy()
        context.run(enter, attempt, run.trace)
        attempt.task = asyncio.get_running_loop().create_task(
            self._perform(attempt, call), context=context
        )

    async def _perform(self, attempt: Attempt, call: StepCall) -> None:
        run = self._run
        host = run.host
        try:
            await perform(
                attempt,
                call,
                may_act=partial(host.may_act, run.lease),
                clock=host.clock,
                threads=host.threads,
                call_at=host.call_at,
            )
            if attempt.scores:
                await self._refuse_unknown(attempt)
            if self._flying.get(attempt.key) is attempt:
                self._home.run(self._land, attempt, call)
        except LeaseLostError:
            run.lose()
        except Exception as error:  # noqa: BLE001 - nobody awaits this task
            run.fault(error)
        finally:
            # Both point back to the attempt: what is freed by itself needs no garbage collector.
            attempt.task = attempt.error = None

    async def _unknown(self, runs: set[UUID]) -> set[UUID]:
        others = {run for run in runs if not self._run.owns(run)}
        return await self._run.host.unknown(others) if others else others

    async def _refuse_unknown(self, attempt: Attempt) -> None:
        """Fail an attempt that scored a run that is not there; its other scores are kept."""
        unknown = await self._unknown({score.run for score in attempt.scores})
        if unknown:
            attempt.scores = [score for score in attempt.scores if score.run not in unknown]
            attempt.output, attempt.failure = None, attempt.failure or _no_run(min(unknown))

    def _land(self, attempt: Attempt, call: StepCall) -> None:
        run = self._run
        key = attempt.key
        del self._flying[key]
        self._abandoned.discard(key)
        self._keep_buffers(attempt)
        if attempt.output is not None:
            too_large = check_size(
                "step_output_too_large", attempt.output, run.host.max_output_bytes
            )
            if too_large is not None:
                attempt.output, attempt.failure = None, too_large
        if attempt.failure is None:
            if attempt.exposures:
                run.writes.exposures.extend(attempt.exposures)
            run.remember(
                attempt.asked,
                Memo(output=attempt.output),
                span=attempt.step_span,
                attempts=attempt.number,
                started=attempt.started_at,
                input_=None if call.input is None else call.input(),
            )
            if attempt.is_recorded:
                run.writes.attempts.append(self._row(attempt))
        else:
            self._fail(attempt, call)
        run.settle()

    def _fail(self, attempt: Attempt, call: StepCall) -> None:
        run = self._run
        failure = attempt.failure
        assert failure is not None
        retries = run.definition.retries if call.retries is None else call.retries
        if failure.retriable and attempt.number <= retries:
            delay = delay_s(
                attempt.error,
                attempt=attempt.number,
                clock=run.host.clock,
                chance=run.host.chance,
            )
            retry_at = attempt.ended_at + delay
            run.writes.attempts.append(self._row(attempt, retry_at))
            run.tries[attempt.key] = Tries(
                made=attempt.number,
                retry_at=retry_at,
                open_since=None,
                span=attempt.step_span,
                name=attempt.step.id,
                index=attempt.step.index,
            )
            self._waiting[attempt.key] = attempt.asked
            self.retries[attempt.key] = retry_at
            run.submit()
            return
        run.writes.attempts.append(self._row(attempt))
        run.remember(
            attempt.asked,
            Memo(failure=failure),
            span=attempt.step_span,
            attempts=attempt.number,
            started=attempt.started_at,
            input_=None if call.input is None else call.input(),
        )

    def _count_lost(self, asked: Asked, call: StepCall, number: int, since: float) -> None:
        """The worker that made this attempt died in it: that counts as a failure."""
        run = self._run
        attempt = self._attempt(asked, number, run.tries[asked.key].span)
        attempt.started_at, attempt.ended_at = since, attempt.started_at
        # The lease that had to run out was pause enough.
        attempt.error = RetryAfterError("the worker was lost", after=0)
        attempt.failure = coded(
            "worker_lost",
            "the worker that ran this attempt was lost",
            name="WorkerLostError",
            retriable=True,
        )
        self._fail(attempt, call)

    def _keep_buffers(self, attempt: Attempt) -> None:
        run = self._run
        for score in attempt.scores:
            run.operations.score(score, run.writes)
        if attempt.events:
            run.operations.send(attempt.events, run.writes)
        for defer in attempt.defers:
            run.promises.make(defer, run.writes, in_step=True)
        for id_ in attempt.withdrawn:
            run.promises.abort(id_, run.writes)

    def _row(self, attempt: Attempt, retry_at: float | None = None) -> dict[str, object]:
        return {
            "run": self._run.id,
            "gen": self._run.generation,
            "step": attempt.key,
            "attempt": attempt.number,
            "name": attempt.asked.operation.name,
            "idx": attempt.asked.index,
            "error": None if attempt.failure is None else to_json(attempt.failure),
            "span": attempt.step_span,
            "started": attempt.started_at,
            "ended": attempt.ended_at or None,
            "retry": retry_at,
        }


def scoring_another(score: NewScore) -> StepCall:
    """A score about another run as a step, since only the database knows whether there is one."""

    async def give() -> str:
        attempt = current_attempt.get()
        assert attempt is not None
        attempt.scores.append(score)
        return "null"

    return StepCall(call=give, is_async=True, retries=0)


def _no_run(run: UUID) -> Failure:
    return coded(
        "run_not_found",
        f"there is no run {to_text(run)}: take the id from `ctx.run_id`, `Sent.run_ids` or the API",
    )
