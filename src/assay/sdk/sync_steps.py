"""`ctx.step` of sync bodies: each call gives its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from assay.sdk import questions
from assay.sdk.asks import call
from assay.sdk.questions import DEFAULTS, StepOptions
from assay.sdk.scores import checked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime, timedelta
    from typing import Literal

    from assay.sdk.asks import Errors
    from assay.sdk.definitions import Invocable
    from assay.sdk.events import D, Drop, Event, EventType, SessionLayer
    from assay.sdk.port import Journal
    from assay.sdk.questions import Sent

P = ParamSpec("P")
R = TypeVar("R")


class SyncRunStep:
    """Runs functions as steps, and waits for them."""

    def __init__(self, journal: Journal, options: StepOptions = DEFAULTS) -> None:
        self._journal = journal
        self._options = options

    @overload
    def run(
        self, id: str, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    def run(self, id: str, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def run(self, id: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call `fn(*args, **kwargs)` once and remember what it gave.

        Args:
            id: of the step; a second use of it in a run counts as `id:1`, and so on.
            fn: async, or sync (then it runs in a thread).
            args: for *fn*.
            kwargs: for *fn*.

        Raises:
            StepError: it failed for good.
        """
        return call(self._journal, questions.run(id, fn, args, kwargs, self._options))


class SyncStep(SyncRunStep):
    """Everything durable that a sync body does."""

    def options(
        self,
        *,
        retries: int | None = None,
        timeout: str | float | timedelta | None = None,
        errors: Errors = (),
    ) -> SyncRunStep:
        """The same `run` with other options.

        Args:
            retries: further attempts after the first, 0 to 20.
            timeout: of one attempt.
            errors: classes by which a failure shall be catchable; it stays a StepError, and
                attributes that the class's `__init__` sets are missing.
        """
        return SyncRunStep(self._journal, StepOptions.checked(retries, timeout, errors))

    def sleep(self, id: str, duration: str | float | timedelta, /) -> None:
        """Wait for a duration such as `"7d"` at no cost."""
        return call(self._journal, questions.sleep(id, duration))

    def sleep_until(self, id: str, instant: datetime, /) -> None:
        """Wait until an aware instant at no cost."""
        return call(self._journal, questions.sleep_until(id, instant))

    @overload
    def wait_for_event(
        self,
        id: str,
        /,
        *,
        event: EventType[D],
        timeout: str | float | timedelta,
        match: Mapping[str, object] | None = None,
        if_: str | None = None,
        lookback: str | float | timedelta | None = None,
    ) -> Event[D] | None: ...
    @overload
    def wait_for_event(
        self,
        id: str,
        /,
        *,
        event: str,
        timeout: str | float | timedelta,
        match: Mapping[str, object] | None = None,
        if_: str | None = None,
        lookback: str | float | timedelta | None = None,
    ) -> Event | None: ...
    def wait_for_event(
        self,
        id: str,
        /,
        *,
        event: str | EventType[Any],
        timeout: str | float | timedelta,
        match: Mapping[str, object] | None = None,
        if_: str | None = None,
        lookback: str | float | timedelta | None = None,
    ) -> Event[Any] | None:
        """Wait for an event at no cost; None where none came in time.

        Args:
            id: of the step.
            event: its name, or its type.
            timeout: how long to wait.
            match: dotted paths in its data, each with the value that it must equal as JSON.
            if_: CEL over `async`, the event that comes, and `event`, the run's own.
            lookback: how far back before the wait it may have come; nothing in functions, the
                parent's start in scorers, unless given.
        """
        question = questions.wait_for_event(id, event, timeout, match, if_, lookback)
        return call(self._journal, question)

    def send_event(self, id: str, events: Event[Any] | Sequence[Event[Any]], /) -> Sent:
        """Send events once."""
        return call(self._journal, questions.send_event(id, events))

    def invoke(
        self,
        id: str,
        fn: Invocable[R, D],
        data: D | Mapping[str, object] | None = None,
        /,
        *,
        timeout: str | float | timedelta | None = None,
        sessions: SessionLayer | Literal[Drop.DROP] | None = None,
    ) -> R:
        """Run a function as a child and wait for its output.

        Args:
            id: of the step.
            fn: a decorated function, of any client.
            data: what its event carries.
            timeout: after it the step fails; the child goes on.
            sessions: of its event; None inherits.
        """
        return call(self._journal, questions.invoke(id, fn, data, timeout, sessions))

    def score(
        self,
        id: str,
        /,
        *,
        name: str,
        value: float,
        run_id: str | None = None,
        step_id: str | None = None,
        index: int | None = None,
        rationale: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write a score once.

        Args:
            id: of the step that writes it.
            name: of the score.
            value: a boolean or a finite number.
            run_id: the run that it is about, this one unless given.
            step_id: the step that it is about; without it, it is about the run.
            index: which use of that step id, from 0.
            rationale: why, in words.
            author: who judged.
            at: an aware instant when it holds; when it is written unless given.
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
        return call(self._journal, questions.score(id, score, self._journal))
