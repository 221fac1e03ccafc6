"""The trace of a run as spans: the run, its steps, attempts, waits, children, scorers, user spans.

The engine's own spans are not stored: they are a view over runs, journal, attempts and waits.
Entry point: `trace_of`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from assay.ids import span_of, to_text
from assay.model.journal import Kind
from assay.model.spans import Span, SpanEvent
from assay.store import event_log, runs, scores, steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from assay.model.events import Json
    from assay.store.pages import Reading
    from assay.store.runs import RunRecord
    from assay.store.scores import ScoreRecord
    from assay.store.steps import AttemptRecord, MemoRecord, StepRecords, UserSpanRecord, WaitRecord

MAX_RUNS = 10_000
MAX_SCORES = 100_000
_DAY = timedelta(days=1)
_KINDS = {Kind.SEND: "producer", Kind.INVOKE: "client", Kind.WAIT: "consumer"}
_StepKey: TypeAlias = "tuple[UUID, UUID]"
StepNames: TypeAlias = "dict[tuple[UUID, UUID | None], tuple[str, int]]"


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores by what they are about: a run, a step of it, an attempt of that."""

    of: Mapping[tuple[object, ...], list[SpanEvent]]

    def __call__(self, *subject: object) -> tuple[SpanEvent, ...]:
        return tuple(self.of.get(subject, ()))


async def trace_of(cursor: Reading, *, project: int, run: UUID) -> list[Span] | None:
    """All spans of the trace that a run is part of, by start; None where there is no such run."""
    asked = await runs.find(cursor, project=project, run=run)
    if asked is None:
        return None
    found = await runs.of_trace(cursor, project=project, trace=asked.trace, limit=MAX_RUNS)
    if all(other.id != run for other in found):
        found.append(asked)
    ids = [one.id for one in found]
    records = await steps.of_runs(cursor, project=project, runs=ids, with_values=False)
    since = min(one.queued_at for one in found) - _DAY
    user = await steps.user_spans(cursor, project=project, runs=ids, since=since.date())
    given = await scores.of_runs(cursor, project=project, runs=ids, limit=MAX_SCORES)
    names = await event_log.names(
        cursor, project=project, events=list({one.event_id for one in found})
    )
    noted = _scores(given, records)
    spans = [_run_span(one, names.get(one.event_id), noted) for one in found]
    spans += _step_spans(asked.trace, records, noted)
    named = names_of_steps(records)
    spans += [user_span(asked.trace, one, named) for one in user]
    return sorted(spans, key=lambda span: (span.started_at, span.parent is not None, span.span))


def run_span(run: RunRecord, event: str | None, given: Iterable[ScoreRecord]) -> Span:
    """The span of a run, with the name of its event and scores about it."""
    return _run_span(run, event, _scores(given))


def step_spans(trace: UUID, records: StepRecords, given: Iterable[ScoreRecord]) -> Iterator[Span]:
    """The spans of steps, waits and attempts, with the scores about them."""
    return _step_spans(trace, records, _scores(given, records))


def names_of_steps(records: StepRecords) -> StepNames:
    """Ids and indexes of steps by run and key."""
    named: StepNames = {(memo.run_id, memo.step): (memo.name, memo.idx) for memo in records.memos}
    return named | {(one.run_id, one.step): (one.name, one.idx) for one in records.attempts}


def _run_span(run: RunRecord, event: str | None, noted: _Scores) -> Span:
    parent = run.parent_span
    if parent is None and run.parent_run is not None:
        parent = span_of("run", run.parent_run)
    attributes: dict[str, Json] = {
        "assay.kind": "scorer" if run.kind == "scorer" else "run",
        "assay.run.id": to_text(run.id),
        "assay.run.status": run.status,
        "assay.app.id": run.app,
        "assay.function.id": run.fn,
        "assay.function.version": run.version,
        "assay.event.id": to_text(run.event_id),
        "assay.event.name": event,
        "assay.queued_at": _instant(run.queued_at),
        "assay.queued_ms": _milliseconds(run.queued_at, run.started_at),
        "assay.parent.run.id": None if run.parent_run is None else to_text(run.parent_run),
        "assay.defer.id": run.parent_defer,
    }
    attributes |= {f"assay.session.{key}": value for key, value in (run.sessions or {}).items()}
    status, message, failed = _status(run.error, run.ended_at, is_ended=run.status == "completed")
    return Span(
        trace=run.trace,
        span=span_of("run", run.id),
        parent=parent,
        name=run.fn,
        kind="consumer",
        started_at=run.started_at or run.queued_at,
        ended_at=run.ended_at,
        status=status,
        message=message,
        attributes=_present(attributes),
        events=(*failed, *noted(run.id)),
    )


def _step_spans(trace: UUID, records: StepRecords, noted: _Scores) -> Iterator[Span]:
    tries: dict[_StepKey, list[AttemptRecord]] = defaultdict(list)
    for attempt in records.attempts:
        tries[attempt.run_id, attempt.step].append(attempt)
    for memo in records.memos:
        key = (memo.run_id, memo.step)
        yield from _memo_spans(trace, memo, tries.pop(key, []), noted)
    for wait in records.waits:
        yield _wait_span(trace, wait)
    for attempts in tries.values():
        # A body has no id: its attempts stand right under the run.
        if attempts[0].name:
            yield _open_step_span(trace, attempts, noted)
        for attempt in attempts:
            yield _attempt_span(trace, attempt, noted)


def _memo_spans(
    trace: UUID, memo: MemoRecord, attempts: Sequence[AttemptRecord], noted: _Scores
) -> Iterator[Span]:
    status, message, failed = _status(memo.error, memo.ended_at, is_ended=not memo.is_cancelled)
    is_step = memo.kind == Kind.STEP
    yield Span(
        trace=trace,
        span=memo.span,
        parent=span_of("run", memo.run_id),
        name=memo.name,
        kind=_KINDS.get(Kind(memo.kind), "internal"),
        started_at=min([memo.started_at, *(attempt.started_at for attempt in attempts)]),
        ended_at=memo.ended_at,
        status=status,
        message=message,
        attributes=_step_attributes(memo)
        | _present(
            {
                "assay.attempts": memo.attempts,
                "assay.cancelled": memo.is_cancelled or None,
                "assay.event.id": None if memo.event_id is None else to_text(memo.event_id),
                "assay.child.run.id": None if memo.child_run is None else to_text(memo.child_run),
            }
        ),
        events=(*(() if is_step else failed), *noted(memo.run_id, memo.name, memo.idx)),
    )
    for attempt in attempts:
        if attempt.attempt != memo.attempts:
            yield _attempt_span(trace, attempt, noted)
    if is_step:
        yield Span(
            trace=trace,
            span=span_of(memo.span, memo.attempts),
            parent=memo.span,
            name=f"attempt {memo.attempts}",
            kind="internal",
            started_at=memo.started_at,
            ended_at=memo.ended_at,
            status=status,
            message=message,
            attributes=_attempt_attributes(memo, memo.attempts),
            events=(*failed, *noted(memo.run_id, memo.name, memo.idx, memo.attempts)),
        )


def _attempt_span(trace: UUID, attempt: AttemptRecord, noted: _Scores) -> Span:
    number = attempt.attempt
    is_body = not attempt.name
    status, message, failed = _status(attempt.error, attempt.ended_at, is_ended=False)
    extra: dict[str, Json] = {
        "assay.retry_at": None if attempt.retry_at is None else _instant(attempt.retry_at),
        "assay.cancelled": attempt.is_cancelled or None,
    }
    return Span(
        trace=trace,
        span=attempt.span if is_body else span_of(attempt.span, number),
        parent=span_of("run", attempt.run_id) if is_body else attempt.span,
        name=f"body attempt {number}" if is_body else f"attempt {number}",
        kind="internal",
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        status=status,
        message=message,
        attributes=_attempt_attributes(attempt, number) | _present(extra),
        events=(*failed, *noted(attempt.run_id, attempt.name, attempt.idx, number)),
    )


def _open_step_span(trace: UUID, attempts: Sequence[AttemptRecord], noted: _Scores) -> Span:
    first = attempts[0]
    return Span(
        trace=trace,
        span=first.span,
        parent=span_of("run", first.run_id),
        name=first.name,
        kind="internal",
        started_at=first.started_at,
        ended_at=first.run_ended_at,
        status="unset",
        attributes=_step_attributes(first)
        | _present(
            {
                "assay.attempts": attempts[-1].attempt,
                "assay.cancelled": first.run_ended_at is not None or None,
            }
        ),
        events=noted(first.run_id, first.name, first.idx),
    )


def _wait_span(trace: UUID, wait: WaitRecord) -> Span:
    status, message, failed = _status(wait.error, wait.resolved_at, is_ended=bool(wait.resolved_at))
    extra: dict[str, Json] = {
        "assay.event.name": wait.event_name,
        "assay.event.id": None if wait.event_id is None else to_text(wait.event_id),
        "assay.child.run.id": None if wait.child_run is None else to_text(wait.child_run),
        "assay.expires_at": None if wait.expires_at is None else _instant(wait.expires_at),
    }
    return Span(
        trace=trace,
        span=wait.span,
        parent=span_of("run", wait.run_id),
        name=wait.name,
        kind=_KINDS.get(Kind(wait.kind), "internal"),
        started_at=wait.registered_at,
        ended_at=wait.resolved_at,
        status=status,
        message=message,
        attributes=_step_attributes(wait) | _present(extra),
        events=failed,
    )


def user_span(trace: UUID, span: UserSpanRecord, named: StepNames) -> Span:
    """A span of user code, with the step that it was made in."""
    step = named.get((span.run_id, span.step))
    place: dict[str, Json] = {
        "assay.run.id": to_text(span.run_id),
        "assay.step.id": step[0] if step else None,
        "assay.step.index": step[1] if step else None,
        "assay.attempt": span.attempt,
    }
    return Span(
        trace=trace,
        span=span.span,
        parent=span.parent if span.parent is not None else span_of("run", span.run_id),
        name=span.name,
        kind=span.kind.lower(),
        started_at=span.started_at,
        ended_at=span.ended_at,
        status=span.status.lower(),
        message=span.message,
        attributes=_loads(span.attributes) | _present(place),
        events=tuple(_user_events(_loads(span.events), span.started_at)),
    )


def _loads(text: str) -> Any:
    """The JSON of a user's span, in which NaN and its like become text."""
    return json.loads(text, parse_constant=str)


def _user_events(events: Iterable[dict[str, Json]], start: datetime) -> Iterator[SpanEvent]:
    for event in events:
        at = event.get("ts")
        yield SpanEvent(
            name=str(event.get("name", "")),
            at=datetime.fromisoformat(at) if isinstance(at, str) else start,
            attributes=cast("dict[str, Json]", event.get("attributes") or {}),
        )


def _step_attributes(step: MemoRecord | AttemptRecord | WaitRecord) -> dict[str, Json]:
    return {
        "assay.kind": getattr(step, "kind", Kind.STEP.value),
        "assay.run.id": to_text(step.run_id),
        "assay.step.id": step.name,
        "assay.step.index": step.idx,
    }


def _attempt_attributes(step: MemoRecord | AttemptRecord, number: int) -> dict[str, Json]:
    return {**_step_attributes(step), "assay.kind": "attempt", "assay.attempt": number}


def _status(
    error: str | None, at: datetime | None, *, is_ended: bool
) -> tuple[str, str | None, tuple[SpanEvent, ...]]:
    """Status, message and the `exception` event of a stored failure."""
    if error is None:
        return ("ok" if is_ended else "unset"), None, ()
    failure = json.loads(error)
    attributes: dict[str, Json] = {
        "exception.type": failure.get("type"),
        "exception.message": failure.get("message"),
        "exception.stacktrace": failure.get("traceback") or None,
    }
    message = f"{failure.get('type')}: {failure.get('message')}"
    if at is None:
        return "error", message, ()
    return "error", message, (SpanEvent(name="exception", at=at, attributes=_present(attributes)),)


def _scores(given: Iterable[ScoreRecord], records: StepRecords | None = None) -> _Scores:
    """Each score as the event that OpenTelemetry has for it, on the span that it is about."""
    tried: set[tuple[object, ...]] = set()
    if records is not None:
        tried = {(m.run_id, m.name, m.idx, m.attempts) for m in records.memos}
        tried |= {(a.run_id, a.name, a.idx, a.attempt) for a in records.attempts}
    noted: dict[tuple[object, ...], list[SpanEvent]] = defaultdict(list)
    for score in sorted(given, key=lambda score: (score.at, score.id)):
        attempt = (score.run_id, score.step, score.idx, score.attempt)
        subject: tuple[object, ...] = (score.run_id,)
        if score.subject == "step":
            subject = attempt if attempt in tried else attempt[:3]
        attributes: dict[str, Json] = {
            "gen_ai.evaluation.name": score.name,
            "gen_ai.evaluation.score.value": score.value,
            "gen_ai.evaluation.score.label": _label(score),
            "gen_ai.evaluation.explanation": score.rationale,
            "assay.score.id": to_text(score.id),
            "assay.score.source": score.source,
            "assay.score.attributions": [asdict(one) for one in score.attributions] or None,
        }
        noted[subject].append(
            SpanEvent(name="gen_ai.evaluation.result", at=score.at, attributes=_present(attributes))
        )
    return _Scores(noted)


def _label(score: ScoreRecord) -> str | None:
    if not score.is_bool:
        return None
    return "pass" if score.value else "fail"


def _present(attributes: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in attributes.items() if value is not None}


def _instant(at: datetime) -> str:
    return at.isoformat()


def _milliseconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else round((end - start).total_seconds() * 1000, 3)
