"""The client: where functions are declared, and the way to runs from outside and inside."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from assay import durations, ids
from assay.clock import DatabaseClock
from assay.errors import AssayError
from assay.sdk import questions
from assay.sdk.asks import ask
from assay.sdk.definitions import check_id, define_function, define_scorer
from assay.sdk.events import drafts
from assay.sdk.functions import Function, Scorer
from assay.sdk.port import current_journal
from assay.sdk.questions import Sent
from assay.sdk.scores import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime, timedelta

    import httpx2

    from assay.clock import Clock
    from assay.model.score_rules import CheckedScore
    from assay.sdk.definitions import FunctionDefinition
    from assay.sdk.events import D, Event
    from assay.sdk.functions import FunctionDecorator, ScorerDecorator, TypedScorerDecorator
    from assay.sdk.http import Api
    from assay.sdk.sync import SyncClient
    from assay.sdk.triggers import TriggerInput

P = ParamSpec("P")
R = TypeVar("R")


class Client:
    """An app: its functions, and the way to send events and scores.

    Outside of runs it speaks HTTP; inside a body or step it goes by the run's journal.

    Args:
        app_id: names the app; function ids are unique in it.
        url: of the API; `ASSAY_URL` unless given, else `http://127.0.0.1:8787`.
        api_key: `ASSAY_API_KEY` unless given.
        transport: carries the requests in place of the network.
        clock: dates the ids that are minted here.

    Attributes:
        functions: what was declared, by id.
    """

    def __init__(
        self,
        app_id: str,
        *,
        url: str | None = None,
        api_key: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.app_id = check_id(app_id, "app")
        self.functions: dict[str, FunctionDefinition] = {}
        self._url = url
        self._api_key = api_key
        self._transport = transport
        self._ids = ids.Ids(clock or DatabaseClock())
        self._made_api: Api | None = None
        self._sync: SyncClient | None = None

    def function(self, id: str, /, *, on: TriggerInput, retries: int = 4) -> FunctionDecorator:
        """Declare a durable function.

        Args:
            id: unique in the app.
            on: what starts it: an event name, a pattern, `assay.on(...)`, an EventType, or a list.
            retries: further attempts of each step and of the body after the first, 0 to 20.
        """
        local = sys._getframe(1).f_locals  # noqa: SLF001 - annotations may name local types

        def decorate(body: Any, /) -> Any:
            definition, output = define_function(
                id, self.app_id, body, on=on, retries=retries, local=local
            )
            self._declare(definition)
            return Function(body, definition, output)

        return decorate

    @overload
    def scorer(
        self, id: str, /, *, schema: type[D], scores: str | Sequence[str], retries: int = 4
    ) -> TypedScorerDecorator[D]: ...
    @overload
    def scorer(
        self, id: str, /, *, scores: str | Sequence[str], retries: int = 4
    ) -> ScorerDecorator: ...
    def scorer(
        self,
        id: str,
        /,
        *,
        scores: str | Sequence[str],
        schema: Any = None,
        retries: int = 4,
    ) -> Any:
        """Declare a deferred function whose return value scores the run that promised it.

        Args:
            id: unique in the app.
            scores: the names that it will give, one or several.
            schema: the type of its payload; what the context says unless given.
            retries: as of functions.
        """
        local = sys._getframe(1).f_locals  # noqa: SLF001 - annotations may name local types

        def decorate(body: Any, /) -> Scorer[Any]:
            definition = define_scorer(
                id,
                self.app_id,
                body,
                schema=schema,
                scores=scores,
                retries=retries,
                local=local,
            )
            self._declare(definition)
            return Scorer(body, definition)

        return decorate

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
        of: Function[R, Any],
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
        of: Function[Any, Any] | None = None,
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

    @property
    def sync(self) -> SyncClient:
        """The same calls for code that is not async."""
        if self._sync is None:
            # Most programs never call it, and it brings threads along.
            from assay.sdk.sync import SyncClient  # noqa: PLC0415

            self._sync = SyncClient(self)
        return self._sync

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        if self._made_api is not None:
            await self._made_api.aclose()

    def _api(self) -> Api:
        if self._made_api is None:
            # Loading httpx2 takes most of the time that a light import may take.
            from assay.sdk.http import Api  # noqa: PLC0415

            self._made_api = Api(self._url, self._api_key, self._transport)
        return self._made_api

    def _declare(self, definition: FunctionDefinition) -> None:
        if definition.id in self.functions:
            raise AssayError(
                f"the function id {definition.id!r} is taken in {self.app_id!r}",
                code="duplicate_function",
                field="id",
                hint="give each function and scorer of an app an id of its own",
            )
        self.functions[definition.id] = definition


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
