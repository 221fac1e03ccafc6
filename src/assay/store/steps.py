"""Reading what runs did: journal entries, attempts, open waits, and the spans of user code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.ids import step_key
from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from assay.store.pages import Reading

_SQL = queries("steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoRecord:
    """A step that has its memo; `input`, `output` and `error` are JSON text.

    Attributes:
        is_cancelled: whether it is a wait that was given up when the run ended: it has no memo.
    """

    run_id: UUID
    step: UUID
    seq: int
    kind: str
    name: str
    idx: int
    span: int
    attempts: int
    started_at: datetime
    ended_at: datetime
    error: str | None
    event_id: UUID | None
    child_run: UUID | None
    is_cancelled: bool
    input: str | None
    output: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """An attempt that failed (JSON text in `error`), that is open, or that was given up.

    Attributes:
        ended_at: of one that was in flight when its run ended, that instant.
        run_ended_at: None while the run goes on.
    """

    run_id: UUID
    step: UUID
    attempt: int
    name: str
    idx: int
    error: str | None
    span: int
    started_at: datetime
    ended_at: datetime | None
    retry_at: datetime | None
    run_ended_at: datetime | None

    @property
    def is_cancelled(self) -> bool:
        """Whether it was in flight when its run ended."""
        return self.ended_at is not None and self.error is None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRecord:
    """A sleep, wait for an event or invocation that is open, or was just resolved."""

    run_id: UUID
    step: UUID
    kind: str
    name: str
    idx: int
    span: int
    event_name: str | None
    registered_at: datetime
    expires_at: datetime | None
    child_run: UUID | None
    resolved_at: datetime | None
    event_id: UUID | None
    error: str | None
    input: str | None
    output: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpanRecord:
    """A span of user code; `attributes` and `events` are JSON text."""

    run_id: UUID
    step: UUID | None
    attempt: int | None
    span: int
    parent: int | None
    name: str
    kind: str
    started_at: datetime
    ended_at: datetime
    status: str
    message: str | None
    attributes: str
    events: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecords:
    """What some runs did, each kind in the order of its coming."""

    memos: list[MemoRecord]
    attempts: list[AttemptRecord]
    waits: list[WaitRecord]


async def of_runs(
    cursor: Reading, *, project: int, runs: Sequence[UUID], with_values: bool
) -> StepRecords:
    """The steps of some runs; without values their inputs and outputs are left where they are."""
    return await _records(
        cursor, {"project": project, "runs": list(runs), "values": with_values, "step": None}
    )


async def of_step(
    cursor: Reading, *, project: int, run: UUID, name: str, index: int
) -> StepRecords:
    """One step of a run, with its values."""
    key = step_key(name, index)
    return await _records(cursor, {"project": project, "runs": [run], "values": True, "step": key})


async def open_waits(cursor: Reading, *, project: int, run: UUID) -> list[WaitRecord]:
    """What a run waits for: sleeps, waits for events and invocations that have not ended."""
    values = {"project": project, "runs": [run], "values": False, "step": None}
    found = [WaitRecord(**row) for row in await fetch(cursor, _SQL["waits"], values)]
    return [wait for wait in found if wait.resolved_at is None]


async def user_spans(
    cursor: Reading,
    *,
    project: int,
    runs: Sequence[UUID],
    since: date,
    span: int | None = None,
    step: UUID | None = None,
    limit: int | None = None,
) -> list[UserSpanRecord]:
    """The spans that user code made in some runs, from a day on, by their start.

    With `span` those with that id, with `step` those made in the step of that key.
    """
    values = {
        "project": project,
        "runs": list(runs),
        "since": since,
        "span": span,
        "step": step,
        "limit": limit,
    }
    return [UserSpanRecord(**row) for row in await fetch(cursor, _SQL["user_spans"], values)]


async def _records(cursor: Reading, values: dict[str, object]) -> StepRecords:
    memos = await fetch(cursor, _SQL["journal"], values)
    attempts = await fetch(cursor, _SQL["attempts"], values)
    waits = await fetch(cursor, _SQL["waits"], values)
    return StepRecords(
        memos=[MemoRecord(**row) for row in memos],
        attempts=[AttemptRecord(**row) for row in attempts],
        waits=[WaitRecord(**row) for row in waits],
    )
