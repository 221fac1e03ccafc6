"""The port between a body and the engine: what `ctx` asks, and the journal that answers.

The engine gives each run a `Journal` and a context variable carries it. Everything that a body
awaits on `ctx` is an `Operation` handed to `Journal.ask` when it is first stepped (async bodies)
or to `Journal.call` (sync bodies).
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from assay import ids

if TYPE_CHECKING:
    import logging
    from asyncio import Future
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.model.events import Json, Sessions
    from assay.model.experiments import ExperimentRef, Strategy
    from assay.model.journal import Kind, Memo
    from assay.model.scores import NewScore

SessionsInput: TypeAlias = "Mapping[str, str | int | float | None] | None"
"""The author's layer: None inherits; a key of None, or DROP for the whole, drops."""


class StepCall(NamedTuple):
    """Run user code once and remember what it gave.

    Attributes:
        call: runs one attempt; gives the exact JSON text of its result, or an awaitable of it.
            It raises what the user's code raises, and `step_output_not_json` (non-retriable).
        is_async: whether `call` has to run on the worker's loop rather than in a thread. A call
            in a thread may give an awaitable too (a lambda around an async function): what it
            gives is awaited on the loop unless it is text.
        retries: further attempts after the first; None takes the function's.
        timeout_s: of one attempt.
        input: gives JSON text of the arguments if they have one, for the trace; called for steps
            that run, not on replay.
    """

    call: Callable[[], str | Awaitable[str]]
    is_async: bool
    retries: int | None = None
    timeout_s: float | None = None
    input: Callable[[], str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Wait for a duration from when it is first asked, or until an instant."""

    for_s: float | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWait:
    """Wait for an event; the memo's output is the event as JSON, or `null` at the timeout.

    Attributes:
        match: dotted paths in the event's data, each with the value it must equal as JSON.
        condition: CEL over `async` (the arriving event) and `event` (the run's own).
        lookback_s: how far back before the wait an event may have come; None takes the default
            (none in functions, to the parent's start in scorers).
        schema: JSON Schema text that the event's data has to fit, of an `EventType`.
    """

    event: str
    timeout_s: float
    match: Mapping[str, Json] = field(default_factory=dict)
    condition: str | None = None
    lookback_s: float | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An event that a body or client sends, before ids, folding and limits."""

    name: str
    data: str
    sessions: SessionsInput = None
    drops_sessions: bool = False
    id: UUID | None = None
    key: str | None = None
    ts: datetime | None = None
    force: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSend:
    """Send events once; the memo's output is the JSON list of their ids (ULID text)."""

    events: Sequence[EventDraft]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Run another function as a child and wait for its output.

    Attributes:
        function: its id; `app` is its client's id, None for the same app.
        data: JSON text of the event data that the child receives.
        timeout_s: after it the ask fails with `invoke_timeout`; the child goes on.
    """

    function: str
    data: str
    app: str | None = None
    timeout_s: float | None = None
    sessions: SessionsInput = None
    drops_sessions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreWrite:
    """Write one score once, as a durable step."""

    score: NewScore


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Choose one of an experiment's variants once, and write the exposure with it.

    The memo's output is `{"variant": ..., "index": ...}`.

    Attributes:
        variants: their names, in the author's order.
        fixed: the variant of the strategy `fixed`.
        weights: of all variants; None for `fixed`, and for `custom` without probabilities.
        is_by_run: whether each run is assigned by itself.
        unit: text of what is assigned else; None where it is missing.
        pick: the author's code of the strategy `custom`.
        index: which use of the experiment in the run, from 0.
    """

    strategy: Strategy
    variants: tuple[str, ...]
    fixed: str
    weights: Mapping[str, float] | None
    is_by_run: bool
    unit: str | None
    salt: str
    is_sticky: bool
    pick: StepCall | None
    index: int


Request: TypeAlias = "StepCall | Sleep | EventWait | EventSend | Invocation | ScoreWrite | Choice"


class Operation(NamedTuple):
    """One thing that a body asks for, under the author's step id."""

    kind: Kind
    name: str
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """A scorer promised for when this run is over.

    Attributes:
        id: unique in the run; a second one with the same id only warns.
        scorer: the scorer function's id, in the same app.
        names: the score names that it declares.
        payload: JSON text; None where the payload failed its schema (then `refused` says why).
        experiment: JSON text of an experiment ref, if one was passed.
        refused: why this promise is refused from the start: its outcomes become `failed`.
    """

    id: str
    scorer: str
    names: tuple[str, ...]
    payload: str | None
    experiment: str | None = None
    sessions: SessionsInput = None
    drops_sessions: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentRun:
    """The run that promised a scorer, as the scorer sees it (`ctx.parent`).

    Attributes:
        experiment: the exposure that the promise names.
    """

    run_id: str
    function_id: str
    status: str
    output: Json
    error: Json
    experiment: ExperimentRef | None = None


class RunInfo(NamedTuple):
    """What a body knows of its run: fixed for the run's life.

    Attributes:
        event_id, event_name, event_data (JSON text), event_ts: the event that started it.
        sessions: the pairs present in every triggering event.
        parent: set for scorers.
        force: variants by experiment that the event asks for, for trying out.
    """

    run_id: UUID
    app: str
    function: str
    event_id: UUID
    event_name: str
    event_data: str
    event_ts: datetime
    sessions: Sessions
    attempt: int
    parent: ParentRun | None = None
    force: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentStep:
    """The step attempt that the running code belongs to (`assay.current_step()`).

    Attributes:
        id: as the author wrote it. `index`: which use of it, from 0. `attempt`: from 1.
    """

    run_id: UUID
    id: str
    index: int
    attempt: int

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt and replay of this step, for services that accept one."""
        return f"{ids.to_text(self.run_id)}-{ids.step_key(self.id, self.index).hex}"


class Journal(Protocol):
    """A run's journal, as its body and the code in its steps see it."""

    @property
    def info(self) -> RunInfo:
        """The run."""
        ...

    @property
    def is_replaying(self) -> bool:
        """Whether committed entries are still to be delivered."""
        ...

    def new_id(self) -> UUID:
        """Mint an id by the run's clock, for what the body writes."""
        ...

    def ask(self, operation: Operation) -> Future[Memo]:
        """Register what an async body awaits, in the order of asking; call it when first stepped.

        Raises:
            Parked: the run is being unwound.
            AssayError: `step_in_step` when called from inside a step.
        """
        ...

    def call(self, operation: Operation) -> Memo:
        """The same for a sync body: blocks its thread until the memo is there."""
        ...

    def parallel(self, branches: Sequence[Callable[[], object]]) -> list[object]:
        """Run the branches of a sync body, each in a thread; raises the first error in order."""
        ...

    def defer(self, defer: Defer) -> bool:
        """Promise a scorer; False where the id is taken already. Legal in body and step."""
        ...

    def abort_defer(self, id: str) -> bool:
        """Withdraw a promise while the run lives; whether there was one to withdraw."""
        ...

    def score(self, score: NewScore) -> None:
        """Buffer a score onto the step attempt that is running (only inside a step)."""
        ...

    def send(self, events: Sequence[EventDraft]) -> list[UUID]:
        """Buffer events onto the step attempt that is running (only inside a step)."""
        ...

    def current_step(self) -> CurrentStep | None:
        """The step attempt that the calling code runs in, None in a body."""
        ...

    def warn(self, text: str) -> None:
        """Log what the author should know, and keep it in the run's `warnings` when it ends."""
        ...

    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """Silent on replay, its records carry run and function."""
        ...


current_journal: ContextVar[Journal | None] = ContextVar("assay_journal", default=None)
"""The journal of the run that the calling code belongs to: set for bodies and for their steps."""
