"""What bodies get as `ctx`: their run, its event or payload, and everything durable."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Generic

from assay import ids
from assay.errors import AssayError
from assay.sdk.defers import Deferred, promise
from assay.sdk.events import D_co, Event, received
from assay.sdk.experiments import AsyncExperiment, SyncExperiment
from assay.sdk.parallel import AsyncParallel, SyncParallel
from assay.sdk.port import CurrentStep, current_journal
from assay.sdk.steps import Step
from assay.sdk.sync_steps import SyncStep

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from typing import Literal

    from assay.sdk.definitions import Deferrable
    from assay.sdk.events import D, Drop, SessionLayer
    from assay.sdk.port import Journal, ParentRun
    from assay.sdk.scores import Reference


def current_step() -> CurrentStep:
    """The step attempt that the calling code runs in; `no_current_step` outside of steps."""
    journal = current_journal.get()
    step = None if journal is None else journal.current_step()
    if step is None:
        raise AssayError(
            "no step is running here",
            code="no_current_step",
            hint="call it in the function that ctx.step.run was given",
        )
    return step


class RunContext(Generic[D_co]):
    """What every body knows and may do, whatever started it."""

    def __init__(self, journal: Journal, data: D_co) -> None:
        self._journal = journal
        self._data = data
        self._uses: Counter[str] = Counter()

    @property
    def run_id(self) -> str:
        """This run's ULID."""
        return ids.to_text(self._journal.info.run_id)

    @property
    def attempt(self) -> int:
        """Which try of the body this is, from 1."""
        return self._journal.info.attempt

    @property
    def sessions(self) -> dict[str, str]:
        """The pairs present in every event that started this run."""
        return dict(self._journal.info.sessions)

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """Silent on replay; its records carry the run."""
        return self._journal.logger()

    def defer(
        self,
        id: str,
        scorer: Deferrable[D],
        data: D | Mapping[str, object],
        /,
        *,
        experiment: Reference | None = None,
        sessions: SessionLayer | Literal[Drop.DROP] | None = None,
    ) -> Deferred:
        """Promise a score: the scorer starts when this run has ended, whatever its end.

        It never fails this run: what is wrong with a promise shows in its outcomes and the log.

        Args:
            id: of the promise; a second one with the same id only warns.
            scorer: what will give the score.
            data: what it gets as `ctx.data`.
            experiment: the exposure that its scores count for; without it they count for every
                experiment of which this run was served one variant only.
            sessions: of the scorer's run; None inherits.
        """
        return promise(self._journal, id, scorer, data, sessions=sessions, experiment=experiment)


class EventContext(RunContext[D_co]):
    """What a function's body knows of what started it."""

    @property
    def event(self) -> Event[D_co]:
        """The event that started this run."""
        info = self._journal.info
        return received(
            id=ids.to_text(info.event_id),
            name=info.event_name,
            data=self._data,
            ts=info.event_ts,
            sessions=info.sessions,
        )

    @property
    def events(self) -> list[Event[D_co]]:
        """All events that started this run."""
        return [self.event]


class PayloadContext(RunContext[D_co]):
    """What a scorer's body knows of what promised it."""

    @property
    def data(self) -> D_co:
        """What the parent passed to `ctx.defer`."""
        return self._data

    @property
    def parent(self) -> ParentRun:
        """The run that promised this scorer, as it ended."""
        parent = self._journal.info.parent
        if parent is None:
            raise AssayError(
                "this scorer has no parent run",
                code="no_parent",
                hint="scorers are started by ctx.defer in a function",
            )
        return parent


class _Async(AsyncParallel, AsyncExperiment):
    _journal: Journal
    _uses: Counter[str]

    @property
    def step(self) -> Step:
        """Everything durable that this body does."""
        return Step(self._journal)


class _Sync(SyncParallel, SyncExperiment):
    _journal: Journal
    _uses: Counter[str]

    @property
    def step(self) -> SyncStep:
        """Everything durable that this body does."""
        return SyncStep(self._journal)


class Context(EventContext[D_co], _Async):
    """What an async function gets: `async def answer(ctx: assay.Context) -> ...`."""


class SyncContext(EventContext[D_co], _Sync):
    """What a sync function gets; it runs in a thread."""


class ScorerContext(PayloadContext[D_co], _Async):
    """What an async scorer gets."""


class SyncScorerContext(PayloadContext[D_co], _Sync):
    """What a sync scorer gets; it runs in a thread."""
