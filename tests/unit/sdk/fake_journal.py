"""A journal without an engine: it runs steps where it is asked and gives scripted answers."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import assay
from assay.clock import ManualClock
from assay.errors import AssayError, Failure
from assay.ids import Ids
from assay.model.journal import Memo
from assay.sdk.port import CurrentStep, RunInfo, StepCall, current_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from assay.model.scores import NewScore
    from assay.sdk.port import Defer, EventDraft, Operation, ParentRun

RUN = UUID("0199a000-0000-7000-8000-000000000001")
EVENT = UUID("0199a000-0000-7000-8000-000000000002")
AT = datetime(2026, 1, 1, tzinfo=UTC)


class FakeJournal:
    """Answers by step id: JSON text, a failure, or by running the step."""

    def __init__(self, data: str = "{}", *, parent: ParentRun | None = None) -> None:
        self.info = RunInfo(
            run_id=RUN,
            app="app",
            function="fn",
            event_id=EVENT,
            event_name="thing/happened",
            event_data=data,
            event_ts=AT,
            sessions={"ticket_id": "tk_1"},
            attempt=1,
            parent=parent,
        )
        self.is_replaying = False
        self.answers: dict[str, str | Failure] = {}
        self.asked: list[Operation] = []
        self.defers: list[Defer] = []
        self.aborted: list[str] = []
        self.warned: list[str] = []
        self.scores: list[NewScore] = []
        self.sent: list[EventDraft] = []
        self.step: CurrentStep | None = None
        self.log = logging.getLogger("assay.test")
        self._ids = Ids(ManualClock())

    def new_id(self) -> UUID:
        return self._ids.new()

    def ask(self, operation: Operation) -> asyncio.Future[Memo]:
        self.asked.append(operation)
        future: asyncio.Future[Memo] = asyncio.get_running_loop().create_future()
        if operation.name in self.answers or not isinstance(operation.request, StepCall):
            future.set_result(self._memo(operation))
            return future
        result = operation.request.call()
        if isinstance(result, str):
            future.set_result(Memo(output=result))
            return future

        async def finish() -> Memo:
            return Memo(output=await result)

        return asyncio.ensure_future(finish())

    def call(self, operation: Operation) -> Memo:
        self.asked.append(operation)
        if operation.name in self.answers or not isinstance(operation.request, StepCall):
            return self._memo(operation)
        result = operation.request.call()
        return Memo(output=result if isinstance(result, str) else asyncio.run(_wait(result)))

    def parallel(self, branches: Sequence[Callable[[], object]]) -> list[object]:
        return [branch() for branch in branches]

    def defer(self, defer: Defer) -> bool:
        is_new = all(defer.id != other.id for other in self.defers)
        if is_new:
            self.defers.append(defer)
        return is_new

    def abort_defer(self, id: str) -> bool:
        self.aborted.append(id)
        return any(defer.id == id for defer in self.defers)

    def score(self, score: NewScore) -> None:
        self.scores.append(score)

    def send(self, events: Sequence[EventDraft]) -> list[UUID]:
        self.sent.extend(events)
        return [self.new_id() for _ in events]

    def current_step(self) -> CurrentStep | None:
        return self.step

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        return logging.LoggerAdapter(self.log, {})

    def in_step(self, id: str = "some-step", *, index: int = 0, attempt: int = 2) -> FakeJournal:
        """The same journal as the code in a step sees it."""
        self.step = CurrentStep(run_id=RUN, id=id, index=index, attempt=attempt)
        return self

    def _memo(self, operation: Operation) -> Memo:
        answer = self.answers.get(operation.name, "null")
        if isinstance(answer, Failure):
            return Memo(failure=answer)
        return Memo(output=answer)


@contextmanager
def inside(journal: FakeJournal) -> Iterator[FakeJournal]:
    """Run code as if it belonged to the journal's run."""
    token = current_journal.set(journal)
    try:
        yield journal
    finally:
        current_journal.reset(token)


def context(journal: FakeJournal) -> assay.Context[dict[str, Any]]:
    """An async body's context."""
    return assay.Context(journal, {})


def run(begun: Coroutine[object, object, Any]) -> Any:
    """What a coroutine gives."""

    async def through() -> Any:
        return await begun

    return asyncio.run(through())


def code_of(act: Callable[[], object]) -> str:
    """The code of the AssayError that an act ends with."""
    try:
        act()
    except AssayError as error:
        return error.code
    return "none"


async def _wait(result: object) -> str:
    return str(await result)  # type: ignore[misc]
