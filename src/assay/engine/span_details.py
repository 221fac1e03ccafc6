"""One span with all that is known of it: values, errors, messages, scores.

Entry point: `detail_of`. A trace is drawn from its skeleton; this is what its spans are asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.engine import spans
from assay.ids import span_of
from assay.model import messages
from assay.store import event_log, runs, scores, steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from assay.model.events import Json
    from assay.model.messages import Message
    from assay.model.spans import Span
    from assay.store.pages import Reading
    from assay.store.runs import RunRecord
    from assay.store.scores import ScoreRecord
    from assay.store.steps import MemoRecord, StepRecords, WaitRecord

MOST_SCORES = 1_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanDetail:
    """A span and what it stands for.

    Attributes:
        input: JSON text: a step's arguments, the event of a run, what a span says that it took.
        output: JSON text, None where there is none (yet).
        error: JSON text.
        messages: exchanged with a model, as far as they can be told.
        step: the records of its step, with their values; None for other spans.
        scores: the latest ones about it.
    """

    span: Span
    input: str | None
    output: str | None
    error: str | None
    messages: list[Message]
    step: StepRecords | None
    scores: list[ScoreRecord]


async def detail_of(cursor: Reading, *, project: int, run: UUID, span: int) -> SpanDetail | None:
    """A span of a run; None where there is no such run, or no such span in it."""
    found = await runs.find(cursor, project=project, run=run)
    if found is None:
        return None
    given = await scores.latest(cursor, project=project, run=run, limit=MOST_SCORES)
    if span == span_of("run", run):
        return await _of_run(cursor, project, found, given.items)
    records = await steps.of_runs(cursor, project=project, runs=[run], with_values=False)
    for one in spans.step_spans(found.trace, records, given.items):
        if one.span == span:
            return await _of_step(cursor, project, found, one, given.items)
    since = (found.queued_at - _DAY).date()
    user = await steps.user_spans(cursor, project=project, runs=[run], since=since, span=span)
    if not user:
        return None
    shown = spans.user_span(found.trace, user[0], spans.names_of_steps(records))
    return _of_user(shown)


async def _of_run(
    cursor: Reading, project: int, run: RunRecord, given: Iterable[ScoreRecord]
) -> SpanDetail:
    event = await event_log.find(cursor, project=project, event=run.event_id)
    about = [score for score in given if score.subject == "run"]
    data = None if event is None else event.data
    return SpanDetail(
        span=spans.run_span(run, None if event is None else event.name, about),
        input=data,
        output=run.output,
        error=run.error,
        messages=_said(data, run.output),
        step=None,
        scores=about,
    )


async def _of_step(
    cursor: Reading, project: int, run: RunRecord, span: Span, given: Iterable[ScoreRecord]
) -> SpanDetail:
    name, index = span.attributes["assay.step.id"], span.attributes["assay.step.index"]
    records = await steps.of_step(
        cursor, project=project, run=run.id, name=str(name), index=int(str(index))
    )
    recorded: list[MemoRecord | WaitRecord] = [*records.memos, *records.waits]
    input_, output = (recorded[0].input, recorded[0].output) if recorded else (None, None)
    errors = [one.error for one in recorded if one.error is not None]
    about = [score for score in given if (score.step, score.idx) == (name, index)]
    number = span.attributes.get("assay.attempt")
    if number is not None:
        failed = [one.error for one in records.attempts if one.attempt == number and one.error]
        is_last = all(memo.attempts == number for memo in records.memos)
        errors = failed or (errors if is_last else [])
        output = output if is_last else None
        about = [score for score in about if score.attempt == number]
    return SpanDetail(
        span=span,
        input=input_,
        output=output,
        error=errors[0] if errors else None,
        messages=_said(input_, output),
        step=records,
        scores=about,
    )


def _of_user(span: Span) -> SpanDetail:
    told = span.attributes
    taken = _first(told, "gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input")
    gave = _first(told, "gen_ai.tool.call.result", "output.value", "traceloop.entity.output")
    return SpanDetail(
        span=span,
        input=taken,
        output=gave,
        error=None,
        messages=messages.of_attributes(told) or _said(taken, gave),
        step=None,
        scores=[],
    )


def _first(attributes: Mapping[str, Json], *names: str) -> str | None:
    """JSON text of the first attribute that is there; text that is JSON stands for itself."""
    value = next((attributes[name] for name in names if name in attributes), None)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return json.dumps(value)
        return value
    return json.dumps(value)


def _said(*texts: str | None) -> list[Message]:
    return messages.of_values(*(json.loads(text) for text in texts if text is not None))
