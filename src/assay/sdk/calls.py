"""What clients do besides declaring: send, score, wait for results, cancel."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from assay import durations, ids
from assay.clock import DatabaseClock
from assay.errors import AssayError
from assay.sdk import questions
from assay.sdk.asks import ask
from assay.sdk.events import drafts
from assay.sdk.port import current_journal
from assay.sdk.questions import Sent
from assay.sdk.scores import checked, checked_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from datetime import datetime, timedelta

    import httpx2

    from assay.clock import Clock
    from assay.model.score_rules import CheckedScore
    from assay.sdk.definitions import Invocable
    from assay.sdk.events import Event
    from assay.sdk.http import Api
    from assay.sdk.scores import Reference

P = ParamSpec("P")
R = TypeVar("R")


class Calls:
    """The way to runs: HTTP outside of them, the journal inside.

    Args:
        url, api_key, transport, clock: as of `Client`.
    """

    def __init__(
        self,
        *,
        url: str | None,
        api_key: str | None,
        transport: httpx2.AsyncBaseTransport | None,
        clock: Clock | None,
    ) -> None:
        self._url = url
        self._api_key = api_key
        self._transport = transport
        self._ids = ids.Ids(clock or DatabaseClock())
        self._made_api: Api | None = None

    def send(self, events: Event[Any] | Sequence[Event[Any]]) -> Coroutine[object, object, Sent]:
        """Send events; inside a body that is a step of its own.

        Returns:
            The ids of the events, and of the runs that they had started before it returned.
        """
        written = drafts(events)
        journal = current_journal.get()
        if not written:
            return _later(Sent, (), ())
        if journal is None:
            return self._api().send(written, self._ids)
        if journal.current_step() is not None:
            return _later(questions.send_in_step, journal, written)
        return ask(journal, questions.sending(questions.SEND_STEP, written))

    def score(
        self,
        name: str,
        value: float,
        *,
        run_id: str | None = None,
        step_id: str | None = None,
        index: int | None = None,
        rationale: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
        id: str | None = None,
    ) -> Coroutine[object, object, None]:
        """Score a run or one of its steps.

        Inside a step and without ids it scores that attempt, inside a body the run.

        Args:
            name: of the score.
            value: a boolean or a finite number.
            run_id: the run; needed outside of runs.
            step_id: the step, as its id was written.
            index: which use of that step id, from 0.
            rationale: why, in words.
            author: who judged.
            at: an aware instant when it holds; when it is received unless given.
            id: a ULID; the same score sent twice is one.
        """
        score = checked(
            name,
            value,
            run_id=run_id,
            step_id=step_id,
            index=index,
            rationale=rationale,
            author=author,
            at=at,
        )
        return self._give(score, id)

    def score_experiment(
        self,
        name: str,
        value: float,
        *,
        experiment: Reference,
        run_id: str | None = None,
        rationale: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
        id: str | None = None,
    ) -> Coroutine[object, object, None]:
        """Score the variant that a run was served: the score is about that run, also in a step.

        Args:
            name: of the score.
            value: a boolean or a finite number.
            experiment: the `ref` that `ctx.experiment` gave, or what JSON made of it.
            run_id: the run that was served; needed outside of runs. Inside, this run, or the
                parent of a scorer where *experiment* is that of its promise.
            rationale: why, in words.
            author: who judged.
            at: an aware instant when it holds; when it is received unless given.
            id: a ULID; the same score sent twice is one.
        """
        others = {"run_id": run_id, "rationale": rationale, "author": author, "at": at}
        return self._give(checked_for(experiment, name, value, **others), id)

    def _give(self, score: CheckedScore, id: str | None) -> Coroutine[object, object, None]:
        given = None if id is None else ids.parse(id)
        journal = current_journal.get()
        if journal is None:
            return self._api().score(_outside(score), given or self._ids.new())
        if journal.current_step() is not None:
            return _later(questions.score_in_step, journal, score, given)
        return ask(journal, questions.scoring(questions.SCORE_STEP, score, journal, given))

    @overload
    def result(
        self,
        run_id: str,
        *,
        of: Invocable[R, Any],
        timeout: str | float | timedelta | None = None,
    ) -> Coroutine[object, object, R]: ...
    @overload
    def result(
        self, run_id: str, *, timeout: str | float | timedelta | None = None
    ) -> Coroutine[object, object, Any]: ...
    def result(
        self,
        run_id: str,
        *,
        of: Invocable[Any, Any] | None = None,
        timeout: str | float | timedelta | None = None,
    ) -> Coroutine[object, object, Any]:
        """Wait for a run and give its output.

        Args:
            run_id: of the run.
            of: its function, by whose return type the output is read; plain JSON without it.
            timeout: how long to wait; for ever unless given.

        Raises:
            AssayError: `run_failed`, `run_cancelled`, `result_timeout`, `result_in_body`.
        """
        _refuse_in_body("result", "ctx.step.invoke runs a function and gives its output")
        limit = None if timeout is None else durations.seconds(timeout, field="timeout")
        return self._api().result(ids.to_text(ids.parse(run_id, field="run_id")), of, limit)

    def cancel(self, run_id: str) -> Coroutine[object, object, None]:
        """Cancel a run; one that has ended stays as it is."""
        _refuse_in_body("cancel", "call it in a step")
        return self._api().cancel(ids.to_text(ids.parse(run_id, field="run_id")))

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        if self._made_api is not None:
            await self._made_api.aclose()

    @contextmanager
    def rerouted(self, api: Api, minted: ids.Ids) -> Iterator[None]:
        """Go by another API and take ids from elsewhere, until the block ends: for tests."""
        before = self._made_api, self._ids
        self._made_api, self._ids = api, minted
        try:
            yield
        finally:
            self._made_api, self._ids = before

    def _api(self) -> Api:
        if self._made_api is None:
            # Loading httpx2 takes most of the time that a light import may take.
            from assay.sdk.http import Api  # noqa: PLC0415

            self._made_api = Api(self._url, self._api_key, self._transport)
        return self._made_api


def _outside(score: CheckedScore) -> CheckedScore:
    if score.run_id is None:
        raise AssayError(
            "No run context available",
            code="no_run",
            field="run_id",
            hint="outside of runs, pass run_id=",
        )
    return score


def _refuse_in_body(call: str, hint: str) -> None:
    journal = current_journal.get()
    if journal is not None and journal.current_step() is None:
        raise AssayError(
            f"client.{call} can't be called in a body", code=f"{call}_in_body", hint=hint
        )


async def _later(act: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return act(*args, **kwargs)
