"""One span of a run, for the docked panel: a step with its values, an attempt, or user code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assay.dashboard.asking import part
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Page
from assay.dashboard.texts import span_id
from assay.ids import parse, step_key
from assay.store import steps
from assay.store.copies import runs as copies_of_runs
from assay.store.copies import spans as copies
from assay.wire.span_details import SpanDetail

if TYPE_CHECKING:
    from uuid import UUID

    from assay.dashboard.asking import Ask

_DAY = timedelta(days=1)
_INNER = 200
_WAITING = frozenset({"wait", "sleep", "invoke"})
_TOKENS = {
    "gen_ai.usage.input_tokens": "tokens in",
    "gen_ai.usage.output_tokens": "tokens out",
    "gen_ai.usage.cache_read.input_tokens": "of them cached",
}
_SHOWN_APART = frozenset(
    {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A span of user code within a step."""

    id: str
    name: str
    status: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanView:
    """A span with what it holds.

    Attributes:
        kind: `run`, `scorer`, what a step is, `attempt`, or `span` for user code.
        status: a run's own, what an open span does, or OpenTelemetry's `ok` and `error`; `ended`
            where a span of user code says neither.
        until: when its wait ends by itself.
        inner: the spans that user code made in it, where it is a step.
        attributes: without those that the panel shows in their own place.
    """

    run_id: str
    span: SpanDetail
    kind: str
    status: str
    until: datetime | None
    inner: list[Inner]
    attributes: dict[str, object]
    tokens: dict[str, int]
    copied: Copied


async def span(ask: Ask) -> SpanView:
    """The span of a run that the path names."""
    return await span_of_run(ask, ask.params["run_id"], ask.params["span_id"])


async def span_of_run(ask: Ask, run_id: str, id_: str) -> SpanView:
    """A span of a run by its 16 hexadecimal digits; `span_not_found`."""
    found = await ask.api.get(SpanDetail, f"runs/{part(run_id)}/spans/{part(id_)}")
    kind = str(found.attributes.get("assay.kind", "span"))
    return SpanView(
        run_id=run_id,
        span=found,
        kind=kind,
        status=_status(found, kind),
        until=_instant(found.attributes.get("assay.expires_at")),
        inner=await _inner(ask, run_id, found) if kind not in {"run", "scorer", "span"} else [],
        attributes={
            name: value
            for name, value in found.attributes.items()
            if name not in _SHOWN_APART and not name.startswith("assay.")
        },
        tokens=_tokens(found),
        copied=copied(
            ask,
            _statements(ask, parse(run_id), found, kind),
            path=f"runs/{part(run_id)}/spans/{part(found.span_id)}",
            query={},
        ),
    )


def _statements(ask: Ask, run: UUID, found: SpanDetail, kind: str) -> str:
    if kind in {"run", "scorer"}:
        return copies_of_runs.one(ask.project, run)
    if found.step_id is None or kind == "span":
        return copies.of_code(ask.project, run, found.span_id)
    return copies.of_step(ask.project, run, found.step_id, found.index or 0)


def _status(found: SpanDetail, kind: str) -> str:
    said = found.attributes.get("assay.run.status")
    if kind in {"run", "scorer"} and said is not None:
        return str(said)
    if found.attributes.get("assay.cancelled"):
        return "cancelled"
    if found.status != "unset":
        return found.status
    if found.ended_at is not None:
        return "ended"
    is_tried_again = bool(found.attempts) and found.attempts[-1].retry_at is not None
    return "waiting" if kind in _WAITING or is_tried_again else "running"


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


async def _inner(ask: Ask, run_id: str, found: SpanDetail) -> list[Inner]:
    """The spans of user code in a step."""
    if found.step_id is None:
        return []
    records = await ask.read(
        lambda reading: steps.user_spans(
            reading,
            project=ask.project,
            runs=[parse(run_id)],
            since=(found.started_at - _DAY).date(),
            step=step_key(found.step_id or "", found.index or 0),
            limit=_INNER,
        )
    )
    return [
        Inner(
            id=span_id(one.span),
            name=one.name,
            status="ended" if one.status.lower() == "unset" else one.status.lower(),
            started_at=one.started_at,
            ended_at=one.ended_at,
        )
        for one in records
    ]


def _tokens(found: SpanDetail) -> dict[str, int]:
    """What a model was sent and gave, where the span says so."""
    counts = {word: found.attributes.get(name) for name, word in _TOKENS.items()}
    return {word: count for word, count in counts.items() if isinstance(count, int)}


SPAN_PAGES = (
    Page(
        path="/runs/{run_id}/spans/{span_id}",
        name="runs",
        title="Span",
        template="span_panel.html",
        render=span,
        is_panel=True,
    ),
)
