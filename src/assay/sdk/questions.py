"""What `ctx.step` asks, for async and sync bodies alike: each call becomes a question."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from assay import durations, ids
from assay.errors import AssayError
from assay.model import event_rules, id_rules, json_text
from assay.model.journal import Kind
from assay.sdk.asks import Errors, Question, check_errors
from assay.sdk.definitions import Invocable
from assay.sdk.events import DROP, EventType, author_layer, data_text, drafts, read_event
from assay.sdk.port import (
    EventSend,
    EventWait,
    Invocation,
    Operation,
    ScoreWrite,
    Sleep,
    StepCall,
)
from assay.sdk.scores import in_run
from assay.sdk.values import Codec, traits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import timedelta
    from uuid import UUID

    from assay.model.score_rules import CheckedScore
    from assay.sdk.events import Event
    from assay.sdk.port import EventDraft, Journal, Request

R = TypeVar("R")

MAX_RETRIES = 20
RESERVED = "assay."
SEND_STEP = "assay.send"
SCORE_STEP = "assay.score"
_PLAIN = Codec()
_NO_YEAR = 9000
"""Instants near the end of Python's calendar can't be read in every time zone."""


class Sent(NamedTuple):
    """What sending gave.

    Attributes:
        event_ids: in the order of the events.
        run_ids: of the runs that they started; empty inside a run.
        duplicates: those of the events whose `key` another one had within 24 h, with the id of
            that one: they started and woke nothing. Empty inside a run.
    """

    event_ids: tuple[str, ...]
    run_ids: tuple[str, ...]
    duplicates: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How a step runs: further attempts, seconds for each, classes its failure is caught by."""

    retries: int | None = None
    timeout_s: float | None = None
    errors: Errors = ()

    @classmethod
    def checked(
        cls, retries: int | None, timeout: str | float | timedelta | None, errors: Errors
    ) -> StepOptions:
        """Options as users write them; `bad_option` or `bad_duration` for what can't be."""
        return cls(
            retries=None if retries is None else check_retries(retries),
            timeout_s=None if timeout is None else durations.seconds(timeout, field="timeout"),
            errors=check_errors(errors),
        )


DEFAULTS = StepOptions()


def check_retries(retries: object) -> int:
    """A number of retries from 0 to 20; `bad_option` otherwise."""
    if type(retries) is int and 0 <= retries <= MAX_RETRIES:
        return retries
    raise AssayError(
        f"retries must be a whole number from 0 to {MAX_RETRIES} (got {retries!r})",
        code="bad_option",
        field="retries",
        hint="retries=4 means 5 attempts",
    )


def run(
    step: str,
    fn: Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    options: StepOptions,
) -> Question[Any]:
    """Run *fn* as a step; `bad_function` for what can't be called."""
    if not callable(fn):
        raise _not_callable(step, fn)
    codec, runs_on_loop = traits(fn)
    made = _Call(step, fn, args, kwargs, codec)
    request = StepCall(made.make, runs_on_loop, options.retries, options.timeout_s, made.input)
    return Question(_operation(Kind.STEP, step, request), codec.load, options.errors)


def user_call(step: str, fn: Callable[[], object]) -> StepCall:
    """A function without arguments as a step that fails and retries like any other."""
    codec, runs_on_loop = traits(fn)
    return StepCall(_Call(step, fn, (), {}, codec).make, runs_on_loop)


class _Call:
    """A function with its arguments, as a step."""

    __slots__ = ("args", "codec", "fn", "kwargs", "step")

    def __init__(
        self,
        step: str,
        fn: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        codec: Codec,
    ) -> None:
        self.step = step
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.codec = codec

    def make(self) -> str | Awaitable[str]:
        """`StepCall.call`."""
        result = self.fn(*self.args, **self.kwargs)
        return self._dump_awaited(result) if inspect.isawaitable(result) else self._dump(result)

    def input(self) -> str | None:
        """`StepCall.input`."""
        try:
            return json_text.dump({"args": list(self.args), "kwargs": dict(self.kwargs)})
        except json_text.NotJsonError:
            return None

    def _dump(self, result: object) -> str:
        return self.codec.dump(result, what=f"step {self.step!r}", code="step_output_not_json")

    async def _dump_awaited(self, result: Awaitable[object]) -> str:
        return self._dump(await result)


def sleep(step: str, duration: str | float | timedelta) -> Question[None]:
    """Wait for a duration."""
    request = Sleep(for_s=durations.seconds(duration, field="duration"))
    return Question(_operation(Kind.SLEEP, step, request), _nothing)


def sleep_until(step: str, instant: object) -> Question[None]:
    """Wait until an aware instant."""
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise AssayError(
            f"sleep_until needs a datetime with a time zone, not {instant!r}",
            code="bad_instant",
            field="instant",
            hint="datetime(2026, 1, 31, tzinfo=UTC)",
        )
    if instant.year >= _NO_YEAR:
        raise AssayError(
            f"sleep_until needs an instant before the year {_NO_YEAR}, not {instant.isoformat()}",
            code="bad_instant",
            field="instant",
            hint="to wait for what may never come, use ctx.step.wait_for_event",
        )
    return Question(_operation(Kind.SLEEP, step, Sleep(until=instant)), _nothing)


def wait_for_event(
    step: str,
    event: str | EventType[Any],
    timeout: str | float | timedelta,
    match: Mapping[str, object] | None,
    if_: str | None,
    lookback: str | float | timedelta | None,
) -> Question[Event[Any] | None]:
    """Wait for an event that matches."""
    codec = event.codec if isinstance(event, EventType) else _PLAIN
    request = EventWait(
        event=event.name if isinstance(event, EventType) else check_wanted(event),
        timeout_s=durations.seconds(timeout, field="timeout"),
        match=_match(match or {}),
        condition=event_rules.check_condition(if_),
        lookback_s=None if lookback is None else durations.seconds(lookback, field="lookback"),
        schema=codec.json_schema(),
    )
    return Question(_operation(Kind.WAIT, step, request), lambda text: read_event(text, codec))


def send_event(step: str, events: Event[Any] | Sequence[Event[Any]]) -> Question[Sent]:
    """Send events once."""
    return sending(check_step(step), drafts(events))


def sending(step: str, events: Sequence[EventDraft]) -> Question[Sent]:
    """Send events once, under an id that may be one of Assay's own."""
    operation = Operation(kind=Kind.SEND, name=step, request=EventSend(events=events))
    return Question(operation, lambda text: Sent(tuple(_PLAIN.load(text)), ()))


def invoke(
    step: str,
    function: Invocable[R, Any],
    data: object,
    timeout: str | float | timedelta | None,
    sessions: object,
) -> Question[R]:
    """Run a function as a child; `bad_function` for what is not declared as one."""
    if not isinstance(function, Invocable):
        raise AssayError(
            f"ctx.step.invoke runs what a client declares, not {_short(function)}",
            code="bad_function",
            field="fn",
            hint="decorate it with @client.function, or run it with ctx.step.run",
        )
    definition = function.definition
    request = Invocation(
        function=definition.id,
        app=definition.app,
        data=data_text({} if data is None else data, definition.codec),
        timeout_s=None if timeout is None else durations.seconds(timeout, field="timeout"),
        sessions=author_layer(sessions) or None,
        drops_sessions=sessions is DROP,
    )
    return Question(_operation(Kind.INVOKE, step, request), function.read_output)


def score(step: str, score: CheckedScore, journal: Journal) -> Question[None]:
    """Write a score about the run, or about the step that it names."""
    check_step(step)
    return scoring(step, score, journal)


def scoring(
    step: str, score: CheckedScore, journal: Journal, id: UUID | None = None
) -> Question[None]:
    """Write a score once, under a step id that may be one of Assay's own."""
    request = ScoreWrite(score=in_run(score, journal, None, id))
    return Question(Operation(kind=Kind.SCORE, name=step, request=request), _nothing)


def send_in_step(journal: Journal, events: Sequence[EventDraft]) -> Sent:
    """Give events to the step attempt that runs, to be sent with its outcome."""
    return Sent(tuple(map(ids.to_text, journal.send(events))), ())


def score_in_step(journal: Journal, score: CheckedScore, id: UUID | None = None) -> None:
    """Give a score to the step attempt that runs, kept also if that fails."""
    journal.score(in_run(score, journal, journal.current_step(), id))


def check_wanted(event: object) -> str:
    """The name of an event to wait for; `event_name` if it is none."""
    if not isinstance(event, str) or not event.strip():
        raise AssayError("event must be a name or an EventType", code="event_name", field="event")
    if event == "*" or event.endswith(("/*", ".*")):
        raise AssayError(
            f"a wait takes the whole name of an event, not {event!r}",
            code="event_name",
            field="event",
            hint="patterns are for on=; wait for one name, and tell events apart with match=",
        )
    return event_rules.check_length(event)


def _not_callable(step: str, fn: object) -> AssayError:
    hint = "give it the function, then its arguments: ctx.step.run(id, fn, x)"
    if inspect.isawaitable(fn):
        close = getattr(fn, "close", None)
        if close is not None:
            close()  # else Python complains of a coroutine that was never awaited
        hint = "without calling it: ctx.step.run(id, fn, x), not ctx.step.run(id, fn(x))"
    return AssayError(
        f"step {step!r} can't call {_short(fn)}", code="bad_function", field="fn", hint=hint
    )


def _short(value: object) -> str:
    name = getattr(value, "__name__", None)
    return f"{name} (a {type(value).__name__})" if name else f"a {type(value).__name__}"


def _operation(kind: Kind, step: str, request: Request) -> Operation:
    return Operation(kind, check_step(step), request)


def check_step(step: object) -> str:
    """A step id as authors may write it; `bad_step_id` otherwise."""
    if not isinstance(step, str) or not step.strip():
        wrong = "must be a non-empty string"
    elif step.startswith(RESERVED):
        wrong = f"must not begin with {RESERVED!r}, which is Assay's own"
    elif not event_rules.is_storable(step):
        wrong = "must not contain null characters or lone surrogates"
    elif not id_rules.is_short(step):
        step = step[: id_rules.TOLD]
        wrong = f"... must be {id_rules.MAX_OWN_BYTES} bytes or fewer in UTF-8"
    else:
        return step
    raise AssayError(f"the step id {step!r} {wrong}", code="bad_step_id", field="id")


def _match(match: Mapping[str, object]) -> dict[str, Any]:
    try:
        json_text.dump(dict(match))
    except json_text.NotJsonError as error:
        raise AssayError(
            f"match holds what JSON can't: {error}",
            code="bad_match",
            field="match",
            hint='match={"ticketId": "tk_123"}: paths in the data, each with its value',
        ) from error
    for path in match:
        if not event_rules.is_storable(path):
            raise AssayError(
                f"match names {path!r}: no event's data has null characters or lone surrogates",
                code="bad_match",
                field="match",
                hint="they are U+FFFD in the data that is kept",
            )
    return dict(match)


def _nothing(_text: str) -> None:
    return None
