"""How a run ends: its row, its promised scorers' runs, and for a scorer its scores and outcomes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from assay.engine.matching import storable
from assay.engine.stored import stored_data
from assay.ids import parse, span_of, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from assay.engine.promises import Promise
    from assay.engine.writes import Writes
    from assay.ids import Ids

DEFERRED_EVENT = "assay/function.deferred"
Status = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A run that ends.

    Attributes:
        output, error: JSON text; one of them, or none for a cancelled run.
        has_waited: whether it may have rows in `waits`.
        last_wait_timed_out: whether its last wait for an event ended without one.
        parent_step: set where the parent waits for it (`invoke`).
        parent_defer: set where the parent promised it (a scorer).
    """

    run: UUID
    app: str
    status: Status
    output: str | None
    error: str | None
    trace: UUID
    started_at: float
    has_waited: bool
    last_wait_timed_out: bool = False
    parent_run: UUID | None = None
    parent_step: UUID | None = None
    parent_defer: str | None = None
    scores: tuple[str, ...] = ()
    scorer: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def end(ending: Ending, promises: list[Promise], writes: Writes, *, ids: Ids, now: float) -> None:
    """Put into a run's writes all that its end writes."""
    run = ending.run
    row: dict[str, Any] = {
        "run": run,
        "status": ending.status,
        "output": ending.output,
        "error": ending.error,
        "started": ending.started_at,
    }
    if ending.warnings:
        row["warnings"] = json.dumps(ending.warnings)
    if ending.has_waited:
        row["waited"] = True
    if ending.parent_step is not None:
        row["parent"] = ending.parent_run
        row["parent_step"] = ending.parent_step
        row["answer"] = ending.output if ending.status == "completed" else None
        row["answer_error"] = _answer_error(ending)
    writes.finish = row
    for promise in promises:
        if promise.state == "pending":
            _start_scorer(ending, promise, writes, ids=ids, now=now)
    if ending.parent_defer is not None:
        _settle_outcomes(ending, writes, ids=ids, now=now)


def _answer_error(ending: Ending) -> str | None:
    if ending.status == "completed":
        return None
    if ending.error is not None:
        return json.dumps(json.loads(ending.error) | {"retriable": False})
    return json.dumps(
        {
            "type": "RunCancelledError",
            "bases": ["RunCancelledError", "AssayError", "Exception", "BaseException", "object"],
            "message": f"run {to_text(ending.run)} was cancelled",
            "code": "run_cancelled",
            "retriable": False,
        }
    )


def _start_scorer(
    ending: Ending, promise: Promise, writes: Writes, *, ids: Ids, now: float
) -> None:
    event, child = ids.new(), ids.new()
    defer = promise.defer
    data, warning = stored_data(defer.payload or "null")
    writes.events.append(
        {
            "run": ending.run,
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
            "parent_run": ending.run,
            "parent_defer": defer.id,
            "trace": ending.trace,
            "parent_span": span_of("run", ending.run),
            "sessions": promise.sessions or None,
            "due": now,
        }
    )
    writes.defers.append(promise.row(state="started", child=child))
    writes.hints.add(ending.app)


def _settle_outcomes(ending: Ending, writes: Writes, *, ids: Ids, now: float) -> None:
    given: dict[str, UUID] = {}
    for score in json.loads(ending.output or "[]") if ending.status == "completed" else []:
        id_ = ids.new()
        given.setdefault(score["name"], id_)
        step = score.get("step_id")
        value = score["value"]
        writes.scores.append(
            {
                "id": id_,
                "subject": "run" if step is None else "step",
                "run": parse(score["run_id"]) if score.get("run_id") else ending.parent_run,
                "step": step or "",
                "idx": score.get("index") or 0,
                "name": score["name"],
                "value": float(value),
                "is_bool": isinstance(value, bool),
                "at": score.get("at") or now,
                "source": "scorer",
                "giver": ending.run,
                "author": score.get("author"),
                "rationale": score.get("rationale"),
            }
        )
    missing = {
        "completed": "timed_out" if ending.last_wait_timed_out else "skipped",
        "failed": "failed",
        "cancelled": "cancelled",
    }[ending.status]
    reason = storable(json.loads(ending.error)["message"]) if ending.error else None
    for name in dict.fromkeys((*ending.scores, *given)):
        writes.outcomes.append(
            {
                "run": ending.parent_run,
                "defer": ending.parent_defer,
                "name": name,
                "scorer": ending.scorer,
                "state": "observed" if name in given else missing,
                "reason": None if name in given else reason,
                "score": given.get(name),
                "giver": ending.run,
            }
        )
