"""What the parts of a live run need of each other, and of their worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from uuid import UUID

    from assay.clock import Clock
    from assay.engine.choosing import Choosing
    from assay.engine.claimed import Tries
    from assay.engine.committer import Committer
    from assay.engine.operations import Operations
    from assay.engine.promises import Promises
    from assay.engine.replay import Asked, Replay
    from assay.engine.timers import Timer
    from assay.engine.tracing import SpanWriter
    from assay.engine.writes import Writes
    from assay.ids import Ids
    from assay.model.journal import Entry, Memo
    from assay.sdk.definitions import FunctionDefinition
    from assay.sdk.port import Journal, RunInfo


class Host(Protocol):
    """What a live run needs of its worker."""

    app: str
    clock: Clock
    ids: Ids
    committer: Committer
    threads: Executor
    versions: Mapping[str, str]
    spans: SpanWriter
    max_output_bytes: int
    max_steps: int
    max_promises: int
    choosing: Choosing

    def may_act(self, lease: UUID) -> bool:
        """Whether the lease that a run was claimed under still holds: asked before each effect."""
        ...

    async def unknown(self, runs: set[UUID]) -> set[UUID]:
        """Those that are no runs of the project."""
        ...

    def chance(self) -> float:
        """A random number in [0, 1)."""
        ...

    def replay(self, run: Running, entries: Sequence[Entry]) -> Replay:
        """A replay of the run's body."""
        ...

    def call_at(self, at: float, call: Callable[[], None]) -> Timer:
        """Call at an instant of the clock, in seconds since 1970."""
        ...

    def left(self, run: Running, *, dropped: bool, parked: bool) -> None:
        """The run is no longer live here; a dropped one is to be given back, a parked one due."""
        ...


class Running(Protocol):
    """A live run, as its steps, its journal and its worker see it.

    Attributes:
        lease: the id of the lease that it was claimed under.
        writes: what the next flush takes.
        tries: attempts without a memo, by step.
        replay: None until the body is begun.
        warnings: what the author should know of this turn, kept if it is the last one.
    """

    id: UUID
    lease: UUID
    trace: UUID
    generation: int
    definition: FunctionDefinition
    info: RunInfo
    host: Host
    operations: Operations
    promises: Promises
    writes: Writes
    tries: dict[UUID, Tries]
    replay: Replay | None
    warnings: list[str]
    is_over: bool

    @property
    def journal(self) -> Journal:
        """What its body speaks to."""
        ...

    @property
    def is_suspect(self) -> bool:
        """Whether workers were lost with this turn since its last commit."""
        ...

    def owns(self, run: UUID) -> bool:
        """Whether a run is this one or its parent, of which nobody has to be asked."""
        ...

    def remember(
        self,
        asked: Asked,
        memo: Memo,
        *,
        span: int | None = None,
        attempts: int = 1,
        started: float | None = None,
        input_: str | None = None,
    ) -> None:
        """Write a memo; the body sees it when the run settles."""
        ...

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call once all that the body may have seen is committed."""
        ...

    def settle(self) -> None:
        """Let the body go on; park when nothing can go on without waiting."""
        ...

    def submit(self) -> None:
        """Have what there is written by the next flush."""
        ...

    def fault(self, error: Exception) -> None:
        """Assay itself went wrong with this run: it fails and says so."""
        ...

    def lose(self) -> None:
        """End without a trace: the turn is not this worker's any more, or nobody can tell."""
        ...
