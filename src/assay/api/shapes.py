"""Records as the messages of `wire`; JSON of user code goes through as its exact text."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from assay.api.answers import Raw, raw
from assay.ids import span_of
from assay.model.journal import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from assay.api.answers import Answer
    from assay.model.events import Json
    from assay.model.experiments import ExperimentRef
    from assay.model.spans import Span
    from assay.scoring.rollups import Rollup
    from assay.store.event_log import EventRecord
    from assay.store.function_list import FunctionRecord
    from assay.store.outcomes import OutcomeChange, OutcomeRecord
    from assay.store.rollups import KeyCount
    from assay.store.runs import RunRecord
    from assay.store.scores import Attribution, ScoreRecord
    from assay.store.sessions import ScoreNumbers, SessionRecord
    from assay.store.steps import AttemptRecord, MemoRecord, StepRecords, WaitRecord

_EXACT_INTEGERS = 2**53
_DEFAULT_RETRIES = 4


def run(
    one: RunRecord,
    orphans: Sequence[tuple[str, int]] = (),
    unserved: Sequence[ExperimentRef] = (),
    ambiguous: Sequence[str] = (),
) -> dict[str, Answer]:
    """A run, with a warning for each step or variant whose scores count nowhere."""
    warnings: list[Answer] = [*json.loads(one.warnings or "[]")]
    warnings += [
        f"a score is about step {step!r} (index {index}), which never ran"
        for step, index in orphans
    ]
    warnings += [
        f"a score names {one.variant!r} of experiment {one.experiment!r} (use {one.index + 1}), "
        "which this run was not served: it is left out"
        for one in unserved
    ]
    warnings += [
        f"this run was served several variants of experiment {experiment!r}: "
        "scores that name none of them are left out of it"
        for experiment in ambiguous
    ]
    return {
        "id": one.id,
        "app_id": one.app,
        "function_id": one.fn,
        "kind": one.kind,
        "status": one.status,
        "sessions": _sessions(one.sessions),
        "queued_at": one.queued_at,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "output": raw(one.output),
        "error": error(one.error),
        "trace_id": one.trace.hex,
        "event_ids": [one.event_id],
        "parent_run_id": one.parent_run,
        "warnings": warnings,
    }


def steps(records: StepRecords) -> list[dict[str, Answer]]:
    """The steps of one run: those that are recorded in their order, then those that are open."""
    tries: dict[UUID, list[AttemptRecord]] = defaultdict(list)
    for attempt in records.attempts:
        if attempt.name:
            tries[attempt.step].append(attempt)
    done = [_memo(memo, tries.pop(memo.step, [])) for memo in records.memos]
    waiting = [_wait(wait) for wait in records.waits]
    trying = [_trying(attempts) for attempts in tries.values()]
    return done + waiting + trying


def score(one: ScoreRecord) -> dict[str, Answer]:
    """A score: a boolean stays a boolean, a whole number is written without a fraction."""
    is_step = one.subject == "step"
    return {
        "id": one.id,
        "name": one.name,
        "value": score_value(one.value, one.is_bool),
        "subject": one.subject,
        "run_id": one.run_id,
        "step_id": one.step if is_step else None,
        "index": one.idx if is_step else None,
        "attempt": one.attempt,
        "source": one.source,
        "attributions": [attribution(each) for each in one.attributions],
        "at": one.at,
        "author": one.author,
        "rationale": one.rationale,
        "recorded_at": one.recorded_at,
        "is_latest": one.is_latest,
        "is_orphan": one.is_orphan,
    }


def attribution(one: Attribution) -> dict[str, Answer]:
    """What a score counts for."""
    return {
        "experiment": one.experiment,
        "variant": one.variant,
        "index": one.index,
        "counted": one.counted,
    }


def outcomes(
    records: Iterable[OutcomeRecord], changes: Iterable[OutcomeChange]
) -> list[dict[str, Answer]]:
    """Outcomes, each with its changes in the order of time."""
    by_outcome: dict[tuple[UUID, str, str], list[Answer]] = defaultdict(list)
    for change in changes:
        by_outcome[change.run_id, change.defer_id, change.name].append(
            {"state": change.state, "at": change.changed_at, "reason": change.reason}
        )
    return [
        {
            "run_id": one.run_id,
            "defer_id": one.defer_id,
            "name": one.name,
            "scorer": one.scorer,
            "state": one.state,
            "scorer_run_id": one.scorer_run,
            "due_at": one.due_at,
            "score_id": one.score_id,
            "reason": one.reason,
            "promised_at": one.promised_at,
            "changes": by_outcome[one.run_id, one.defer_id, one.name],
        }
        for one in records
    ]


def event(one: EventRecord) -> dict[str, Answer]:
    """An event."""
    return {
        "id": one.id,
        "name": one.name,
        "data": Raw(one.data),
        "sessions": _sessions(one.sessions),
        "ts": one.ts,
        "received_at": one.received_at,
        "key": one.key,
        "duplicate_of": one.duplicate_of,
        "source_run": one.source_run,
        "warnings": [] if one.warning is None else [*one.warning.split("; ")],
    }


def function(one: FunctionRecord) -> dict[str, Answer]:
    """A registered function."""
    options = one.options if isinstance(one.options, dict) else {}
    triggers = one.triggers if isinstance(one.triggers, list) else []
    scores, retries = options.get("scores"), options.get("retries")
    return {
        "id": one.fn,
        "app_id": one.app,
        "kind": one.kind,
        "version": one.version,
        "triggers": [
            {"event": str(trigger.get("event")), "condition": _text(trigger.get("condition"))}
            for trigger in triggers
            if isinstance(trigger, dict)
        ],
        "scores": [str(name) for name in scores] if isinstance(scores, list) else [],
        "retries": retries if isinstance(retries, int) else _DEFAULT_RETRIES,
        "seen_at": one.registered_at,
        "retired_at": one.retired_at,
    }


def session_key(one: KeyCount) -> dict[str, Answer]:
    """A key of sessions."""
    return {
        "key": one.key,
        "session_count": one.session_count,
        "run_count": one.run_count,
        "last_active_at": one.last_active_at,
    }


def session(one: SessionRecord, scores: Iterable[ScoreNumbers]) -> dict[str, Answer]:
    """A session; its failures are a share of the runs that have ended, `failure_rate_n`."""
    ended = one.ended_run_count
    return {
        "key": one.key,
        "id": one.value,
        "run_count": one.run_count,
        "failed_run_count": one.failed_run_count,
        "failure_rate": one.failed_run_count / ended if ended else None,
        "failure_rate_n": ended,
        "last_active_at": one.last_active_at,
        "functions": [*one.functions],
        "scores": [
            {
                "name": score.name,
                "n": score.n,
                "mean": score.mean,
                "min": score.least,
                "max": score.greatest,
                "n_bool": score.n_bool,
            }
            for score in scores
        ],
    }


def rollup(one: Rollup) -> dict[str, Answer]:
    """A score over a session."""
    return {
        "name": one.name,
        "n": one.n,
        "mean": one.mean,
        "min": one.least,
        "max": one.greatest,
        "n_bool": one.n_bool,
        "true_share": one.true_share,
        "reason": one.reason,
        "outcomes": {**one.outcomes},
    }


def span(one: Span) -> dict[str, Answer]:
    """A span; run, step and attempt stand beside their attributes for those who filter."""
    attributes = one.attributes
    return {
        "trace_id": one.trace.hex,
        "span_id": span_id(one.span),
        "parent_span_id": None if one.parent is None else span_id(one.parent),
        "name": one.name,
        "kind": one.kind,
        "status": one.status,
        "status_message": one.message,
        "started_at": _nanoseconds(one.started_at.isoformat()),
        "ended_at": None if one.ended_at is None else _nanoseconds(one.ended_at.isoformat()),
        "attributes": _json(dict(attributes)),
        "events": [
            {
                "name": event.name,
                "at": _nanoseconds(event.at.isoformat()),
                "attributes": _json(dict(event.attributes)),
            }
            for event in one.events
        ],
        "links": [],
        "run_id": _text(attributes.get("assay.run.id")),
        "step_id": _text(attributes.get("assay.step.id")),
        "index": _whole(attributes.get("assay.step.index")),
        "attempt": _whole(attributes.get("assay.attempt")),
    }


def span_id(number: int) -> str:
    """A span id as OpenTelemetry writes it."""
    return f"{number & 0xFFFFFFFFFFFFFFFF:016x}"


def _memo(memo: MemoRecord, attempts: Sequence[AttemptRecord]) -> dict[str, Answer]:
    shown = [_attempt(attempt) for attempt in attempts if attempt.attempt != memo.attempts]
    if memo.kind == Kind.STEP:
        last: dict[str, Answer] = {
            "attempt": memo.attempts,
            "status": _ended(memo.error),
            "started_at": memo.started_at,
            "ended_at": memo.ended_at,
            "error": error(memo.error),
            "span_id": span_id(span_of(memo.span, memo.attempts)),
            "retry_at": None,
        }
        shown.append(last)
    return {
        **_step(memo, kind=memo.kind, attempts=shown),
        "status": "cancelled" if memo.is_cancelled else _ended(memo.error),
        "seq": memo.seq,
        "started_at": min([memo.started_at, *(attempt.started_at for attempt in attempts)]),
        "ended_at": memo.ended_at,
        "input": raw(memo.input),
        "output": raw(memo.output),
        "error": error(memo.error),
        "event_id": memo.event_id,
        "child_run_id": memo.child_run,
    }


def _wait(wait: WaitRecord) -> dict[str, Answer]:
    return {
        **_step(wait, kind=wait.kind, attempts=[]),
        "status": "waiting",
        "seq": None,
        "started_at": wait.registered_at,
        "ended_at": wait.resolved_at,
        "input": raw(wait.input),
        "output": raw(wait.output),
        "error": error(wait.error),
        "event_id": wait.event_id,
        "child_run_id": wait.child_run,
    }


def _trying(attempts: Sequence[AttemptRecord]) -> dict[str, Answer]:
    first, last = attempts[0], attempts[-1]
    status = "running" if last.ended_at is None else "waiting"
    return {
        **_step(first, kind=Kind.STEP, attempts=[_attempt(attempt) for attempt in attempts]),
        "status": status if last.run_ended_at is None else "cancelled",
        "seq": None,
        "started_at": first.started_at,
        "ended_at": last.run_ended_at,
        "input": None,
        "output": None,
        "error": None,
        "event_id": None,
        "child_run_id": None,
    }


def _step(
    step: MemoRecord | WaitRecord | AttemptRecord, *, kind: str, attempts: list[Answer]
) -> dict[str, Answer]:
    return {
        "id": step.name,
        "index": step.idx,
        "kind": kind,
        "span_id": span_id(step.span),
        "attempts": attempts,
    }


def _attempt(attempt: AttemptRecord) -> Answer:
    ended = "cancelled" if attempt.is_cancelled else "failed"
    return {
        "attempt": attempt.attempt,
        "status": "running" if attempt.ended_at is None else ended,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "error": error(attempt.error),
        "span_id": span_id(span_of(attempt.span, attempt.attempt)),
        "retry_at": attempt.retry_at,
    }


def _ended(error: str | None) -> str:
    return "completed" if error is None else "failed"


def error(text: str | None) -> Answer:
    """A stored failure."""
    if text is None:
        return None
    stored: dict[str, Json] = json.loads(text)
    data = stored.pop("data", None)
    rest = {name: _json(value) for name, value in stored.items()}
    return {**rest, "data": Raw(data) if isinstance(data, str) else None}


def score_value(value: float, is_bool: bool) -> bool | int | float:  # noqa: FBT001 - a column
    """A boolean as one, a whole number without a fraction."""
    if is_bool:
        return value != 0
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return int(value)
    return value


def _sessions(pairs: Mapping[str, str] | None) -> list[Answer]:
    return [{"key": key, "id": value} for key, value in sorted((pairs or {}).items())]


def _json(value: Json) -> Raw:
    return Raw(json.dumps(value))


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) else None


def _nanoseconds(iso: str) -> str:
    """ISO 8601 in UTC with nine digits of a second."""
    whole, _, zone = iso.partition("+")
    seconds, _, fraction = whole.partition(".")
    return f"{seconds}.{fraction:0<9}Z" if not zone.strip("0:") else iso
