"""The journal that a live run gives to its body and to the code in its steps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from assay.engine.attempts import current_attempt
from assay.errors import AssayError, Parked

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, MutableMapping, Sequence
    from uuid import UUID

    from assay.engine.attempts import Attempt
    from assay.engine.replay import Replay
    from assay.engine.running import Running
    from assay.model.journal import Memo
    from assay.model.scores import NewScore
    from assay.sdk.port import CurrentStep, Defer, EventDraft, Operation, RunInfo

_log = logging.getLogger("assay.run")


class RunJournal:
    """`sdk.port.Journal` of one live run."""

    def __init__(self, run: Running) -> None:
        self._run = run

    @property
    def info(self) -> RunInfo:
        """The run."""
        return self._run.info

    @property
    def is_replaying(self) -> bool:
        """Whether committed entries are still to be delivered."""
        replay = self._run.replay
        return replay is None or replay.is_replaying

    def new_id(self) -> UUID:
        """`Journal.new_id`."""
        return self._run.host.ids.new()

    def ask(self, operation: Operation) -> Future[Memo]:
        """`Journal.ask`."""
        self._refuse_in_step(operation.name)
        return self._replay().ask(operation)

    def call(self, operation: Operation) -> Memo:
        """`Journal.call`."""
        self._refuse_in_step(operation.name)
        return self._replay().call(operation)

    def parallel(self, branches: Sequence[Callable[[], object]]) -> list[object]:
        """`Journal.parallel`."""
        self._refuse_in_step("parallel")
        return self._replay().parallel(branches)

    def defer(self, defer: Defer) -> bool:
        """`Journal.defer`."""
        attempt = current_attempt.get()
        if attempt is not None:
            if any(made.id == defer.id for made in attempt.defers):
                return False
            attempt.defers.append(defer)
            return True
        self._refuse_parked()
        return self._run.promises.make(defer, self._run.writes, in_step=False)

    def abort_defer(self, id: str) -> bool:
        """`Journal.abort_defer`."""
        attempt = current_attempt.get()
        if attempt is not None:
            kept = [made for made in attempt.defers if made.id != id]
            if len(kept) < len(attempt.defers):
                attempt.defers[:] = kept
                return True
            if self._run.promises.can_abort(id):
                attempt.withdrawn.append(id)
                return True
            return False
        self._refuse_parked()
        return self._run.promises.abort(id, self._run.writes)

    def score(self, score: NewScore) -> None:
        """`Journal.score`."""
        self._attempt().scores.append(score)

    def send(self, events: Sequence[EventDraft]) -> list[UUID]:
        """`Journal.send`."""
        made = self._run.operations.drafted(events)
        self._attempt().events.extend(made)
        return [event.id for event in made]

    def current_step(self) -> CurrentStep | None:
        """`Journal.current_step`."""
        attempt = current_attempt.get()
        return None if attempt is None else attempt.step

    def warn(self, text: str) -> None:
        """`Journal.warn`: each text once; what a body drops while it is unwound is its own."""
        replay = self._run.replay
        if self._run.is_over or replay is None or replay.is_unwinding:
            return
        if text not in self._run.warnings:
            self._run.warnings.append(text)
            self.logger().warning("%s", text)

    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """`Journal.logger`."""
        return _RunLogger(self, _log)

    def _replay(self) -> Replay:
        replay = self._run.replay
        if replay is None:
            raise Parked
        return replay

    def _attempt(self) -> Attempt:
        attempt = current_attempt.get()
        if attempt is None:
            raise AssayError(
                "this is only for code inside a step", code="not_in_step", hint="use ctx.step"
            )
        return attempt

    def _refuse_in_step(self, name: str) -> None:
        if current_attempt.get() is not None:
            raise AssayError(
                f"{name!r} was asked for inside a step",
                code="step_in_step",
                hint="call ctx.step from the body; a step is one unit of work",
            )

    def _refuse_parked(self) -> None:
        replay = self._run.replay
        if replay is None or replay.is_unwinding:
            raise Parked


class _RunLogger(logging.LoggerAdapter[logging.Logger]):
    """Silent on replay; its records carry the run."""

    def __init__(self, journal: RunJournal, logger: logging.Logger) -> None:
        super().__init__(logger)
        self._journal = journal

    @override
    def isEnabledFor(self, level: int) -> bool:
        """Whether a record of this level would be made now."""
        is_live = current_attempt.get() is not None or not self._journal.is_replaying
        return is_live and super().isEnabledFor(level)

    @override
    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the run's fields to a record."""
        info = self._journal.info
        extra = {"run_id": info.run_id, "function_id": info.function, "app_id": info.app}
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return msg, kwargs
