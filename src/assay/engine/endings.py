"""How a run ends: its row, its promised scorers' runs, and for a scorer its scores and outcomes."""

from __future__ import annotations

import json
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from assay.engine.matching import storable
from assay.engine.stored import stored_data
from assay.ids import parse, span_of, to_text
from assay.model.journal import Kind
from assay.model.reference_rules import check_reference
from assay.store.scores import reference_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from assay.engine.promises import Promise
    from assay.engine.replay import Replay
    from assay.engine.writes import Writes
    from assay.ids import Ids
    from assay.store.turns import ClaimedTurn, Row

DEFERRED_EVENT = "assay/function.deferred"
Status = Literal["completed", "failed", "cancelled"]


_NO_VERSIONS: Mapping[str, str] = MappingProxyType({})


class Ending(NamedTuple):
    """A run that ends.

    Attributes:
        turn: as it was claimed.
        output, error: JSON text; one of them, or none for a cancelled run.
        has_waited: whether it may have rows in `waits`.
        last_wait_timed_out: whether its last wait for an event ended without one.
        has_chosen: whether it has asked for a variant since its turn was claimed.
    """

    turn: ClaimedTurn
    app: str
    status: Status
    output: str | None = None
    error: str | None = None
    has_waited: bool = True
    last_wait_timed_out: bool = False
    versions: Mapping[str, str] = _NO_VERSIONS
    warnings: Sequence[str] = ()
    has_chosen: bool = False


def scored_by(output: str) -> set[UUID]:
    """The runs that a scorer's result names, of which there may be none."""
    return {parse(score["run_id"]) for score in json.loads(output) if score.get("run_id")}


def not_asked_for(replay: Replay | None) -> list[str]:
    """Warnings of the recorded steps that a body did not ask for."""
    return [
        f"step {entry.name!r} (use {entry.index + 1}) is in the journal but was not asked for"
        for entry in (() if replay is None else replay.unasked)
    ]


def end(ending: Ending, promises: list[Promise], writes: Writes, *, ids: Ids, now: float) -> None:
    """Put into a run's writes all that its end writes."""
    turn = ending.turn
    row: dict[str, Any] = {
        "run": turn.run_id,
        "status": ending.status,
        "output": ending.output,
        "error": ending.error,
        "started": turn.started_at,
    }
    if ending.warnings:
        row["warnings"] = json.dumps(ending.warnings)
    if ending.has_waited:
        row["waited"] = True
    if ending.status != "cancelled" and (ending.has_chosen or _had_chosen(turn)):
        row["exposed"] = True
    if turn.parent_step is not None:
        row["parent"] = turn.parent_run
        row["parent_step"] = turn.parent_step
        row["answer"] = ending.output if ending.status == "completed" else None
        row["answer_error"] = _answer_error(ending)
    writes.finish = row
    for promise in promises:
        if promise.state == "pending":
            _start_scorer(ending, promise, writes, ids=ids, now=now)
    if turn.parent_defer is not None:
        _settle_outcomes(ending, writes, ids=ids, now=now)


def _had_chosen(turn: ClaimedTurn) -> bool:
    return any(kind == Kind.EXPERIMENT for _, _, kind, *_ in turn.journal or ())


def _answer_error(ending: Ending) -> str | None:
    if ending.status == "completed":
        return None
    if ending.error is not None:
        return json.dumps(json.loads(ending.error) | {"retriable": False})
    return json.dumps(
        {
            "type": "RunCancelledError",
            "bases": ["RunCancelledError", "AssayError", "Exception", "BaseException", "object"],
            "message": f"run {to_text(ending.turn.run_id)} was cancelled",
            "code": "run_cancelled",
            "retriable": False,
        }
    )


def _start_scorer(
    ending: Ending, promise: Promise, writes: Writes, *, ids: Ids, now: float
) -> None:
    run = ending.turn.run_id
    event, child = ids.new(), ids.new()
    defer = promise.defer
    data, warning = stored_data(defer.payload or "null")
    writes.events.append(
        {
            "run": run,
            "gen": promise.generation,
            "id": event,
            "name": DEFERRED_EVENT,
            "data": data,
            "warning": warning,
            "sessions": promise.sessions or None,
            "ts": now,
            "matched": True,
        }
    )
    writes.runs.append(
        {
            "id": child,
            "app": ending.app,
            "fn": defer.scorer,
            "kind": "scorer",
            "version": ending.versions.get(defer.scorer, ""),
            "event": event,
            "parent_run": run,
            "parent_defer": defer.id,
            "trace": ending.turn.trace,
            "parent_span": span_of("run", run),
            "sessions": json.dumps(promise.sessions) if promise.sessions else None,
            "due": now,
        }
    )
    writes.defers.append(promise.row(state="started", child=child))
    writes.hints.add(ending.app)


def _settle_outcomes(ending: Ending, writes: Writes, *, ids: Ids, now: float) -> None:
    turn = ending.turn
    given: dict[str, UUID] = {}
    for score in json.loads(ending.output or "[]") if ending.status == "completed" else []:
        id_ = ids.new()
        given.setdefault(score["name"], id_)
        writes.scores.append({"id": id_, **_score(score, turn, now=now)})
    missing = {
        "completed": "timed_out" if ending.last_wait_timed_out else "skipped",
        "failed": "failed",
        "cancelled": "cancelled",
    }[ending.status]
    reason = storable(json.loads(ending.error)["message"]) if ending.error else None
    for name in dict.fromkeys((*(turn.parent or {}).get("names", ()), *given)):
        writes.outcomes.append(
            {
                "run": turn.parent_run,
                "defer": turn.parent_defer,
                "name": name,
                "scorer": turn.fn,
                "state": "observed" if name in given else missing,
                "reason": None if name in given else reason,
                "score": given.get(name),
                "giver": turn.run_id,
            }
        )


def _score(score: Mapping[str, Any], turn: ClaimedTurn, *, now: float) -> Row:
    """The row of a score that a scorer returned: about its parent unless it says otherwise."""
    step, at, value = score.get("step_id"), score.get("at"), score["value"]
    run = parse(score["run_id"]) if score.get("run_id") else turn.parent_run
    reference, promised = score.get("experiment"), (turn.parent or {}).get("experiment")
    if reference is None and promised is not None and step is None and run == turn.parent_run:
        reference = json.loads(promised)
    return {
        "subject": "run" if step is None else "step",
        "run": run,
        "step": step or "",
        "idx": score.get("index") or 0,
        "name": score["name"],
        "value": float(value),
        "is_bool": isinstance(value, bool),
        "at": now if at is None else datetime.fromisoformat(at).timestamp(),
        "source": "scorer",
        "giver": turn.run_id,
        "author": score.get("author"),
        "rationale": score.get("rationale"),
        **reference_columns(None if reference is None else check_reference(reference)),
    }
