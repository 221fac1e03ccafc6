"""What a claim gives, parsed: the run's description, its journal, attempts, waits and promises."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assay.engine.failures import from_json
from assay.engine.promises import Promise
from assay.ids import to_text
from assay.model.journal import Entry, Kind, Memo
from assay.model.reference_rules import check_reference
from assay.sdk.port import Defer, ParentRun, RunInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.store.turns import ClaimedTurn

BODY = UUID(int=0)
"""Stands for the body where attempts are keyed by step."""


@dataclass(slots=True)
class Tries:
    """Attempts of a step (or of the body) that did not give a memo.

    Attributes:
        made: how many.
        retry_at: when the next may start, in seconds since 1970.
        open_since: start of the last one where it never ended, else None.
        span: of the step.
    """

    made: int
    retry_at: float
    open_since: float | None
    span: int
    name: str
    index: int


def run_info(turn: ClaimedTurn, *, app: str, attempt: int) -> RunInfo:
    """What the body knows of its run."""
    return RunInfo(
        turn.run_id,
        app,
        turn.fn,
        turn.event_id,
        turn.event_name,
        turn.event_data,
        datetime.fromtimestamp(turn.event_ts, UTC),
        turn.sessions or {},
        attempt,
        None if turn.parent is None else _parent(turn),
        turn.force,
    )


def _parent(turn: ClaimedTurn) -> ParentRun | None:
    parent = turn.parent
    if parent is None or turn.parent_run is None:
        return None
    experiment = parent["experiment"]
    return ParentRun(
        run_id=to_text(turn.parent_run),
        function_id=parent["function"],
        status=parent["status"],
        output=_json(parent["output"]),
        error=_json(parent["error"]),
        experiment=None if experiment is None else check_reference(json.loads(experiment)),
    )


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def entries(turn: ClaimedTurn) -> list[Entry]:
    """The journal, in the order of its commits."""
    return [entry(row) for row in turn.journal or ()]


def entry(row: list[Any]) -> Entry:
    """A journal entry from (step, seq, kind, name, index, output, error)."""
    step, seq, kind, name, index, output, error = row
    memo = Memo(output=output, failure=None if error is None else from_json(error))
    return Entry(step=UUID(step), seq=seq, kind=Kind(kind), name=name, index=index, memo=memo)


def tries(turn: ClaimedTurn) -> dict[UUID, Tries]:
    """Attempts by step; rows come in order of attempts."""
    found: dict[UUID, Tries] = {}
    for step, attempt, retry_at, is_open, span, started, name, index in turn.attempts or ():
        found[UUID(step)] = Tries(
            made=attempt,
            retry_at=retry_at or 0.0,
            open_since=started if is_open else None,
            span=span,
            name=name,
            index=index,
        )
    return found


def waits(turn: ClaimedTurn) -> dict[UUID, float]:
    """Open waits by step, with their end in seconds since 1970."""
    return {UUID(step): expires for step, expires, _ in turn.waits or ()}


def promises(turn: ClaimedTurn) -> list[Promise]:
    """The promises that the run has made, in order."""
    return [
        Promise(turn.run_id, turn.generation, _defer(row), row["sessions"] or {}, row["state"])
        for row in turn.defers or ()
    ]


def _defer(row: Mapping[str, Any]) -> Defer:
    return Defer(
        id=row["id"],
        scorer=row["scorer"],
        names=tuple(row["names"]),
        payload=row["payload"],
        experiment=row["experiment"],
    )
