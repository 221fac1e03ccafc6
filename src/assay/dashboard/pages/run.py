"""A run: where its time went, what failed, and all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard import stretches
from assay.dashboard.copying import Copied, copied
from assay.dashboard.local_api import RefusedError
from assay.dashboard.page import Page
from assay.dashboard.pages.compare import COMPARE_PAGES
from assay.dashboard.pages.span import SPAN_PAGES, SpanView, span_of_run
from assay.dashboard.pages.trace import TRACE_PAGES, TraceView, of_run
from assay.ids import parse
from assay.store import event_log, exposures, steps
from assay.store import runs as store
from assay.store.copies import runs as copies
from assay.wire.runs import RunDetail

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.dashboard.stretches import Spent, StepRow
    from assay.store.event_log import EventRecord
    from assay.store.exposures import ExposureRecord
    from assay.store.pages import Reading
    from assay.store.runs import RunRecord
    from assay.store.steps import WaitRecord
    from assay.wire.runs import Step

LINKED = 100
LIVE = frozenset({"queued", "running", "waiting"})
WITHOUT_SPANS = (("include", "steps,scores,outcomes"), ("values", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run with what belongs to it.

    Attributes:
        rows: its first steps in time; `n_steps` says how many there are.
        wrong: steps that failed for good. `retried`: failed attempts of steps that went on.
        waits: what it waits for. `again`: steps that wait for their next attempt.
        linked: the other runs of its trace: who started it, what it started, its scorers.
        events: that started it, with their data.
        trace: for those without scripts.
        panel: the span that the query names.
    """

    run: RunDetail
    is_live: bool
    rows: list[StepRow]
    n_steps: int
    spent: list[Spent]
    longest: list[Step]
    wrong: list[Step]
    retried: int
    waits: list[WaitRecord]
    again: list[Step]
    linked: list[RunRecord]
    events: list[EventRecord]
    exposures: list[ExposureRecord]
    copied: Copied
    trace: TraceView
    panel: SpanView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeekView:
    """A run as the panel of a list shows it."""

    run: RunDetail
    is_live: bool
    rows: list[StepRow]
    n_steps: int
    spent: list[Spent]
    wrong: list[Step]
    exposures: list[ExposureRecord]


async def run(ask: Ask) -> RunView:
    """The whole page."""
    found = await ask.api.get(RunDetail, ask.api_path(), WITHOUT_SPANS)
    id_ = parse(found.id)

    async def read(
        reading: Reading,
    ) -> tuple[list[RunRecord], list[EventRecord], list[ExposureRecord], list[WaitRecord]]:
        project = ask.project
        of_trace = await store.of_trace(
            reading, project=project, trace=parse(_uuid(found.trace_id)), limit=LINKED
        )
        events = [
            await event_log.find(reading, project=project, event=parse(event))
            for event in found.event_ids[:1]
        ]
        served = await exposures.of_runs(reading, project=project, runs=[id_])
        is_waiting = found.status == "waiting"
        waits = await steps.open_waits(reading, project=project, run=id_) if is_waiting else []
        return (
            [one for one in of_trace if one.id != id_],
            [one for one in events if one is not None],
            served,
            waits,
        )

    linked, events, served, waits = await ask.read(read)
    span = ask.query.get("span")
    return RunView(
        run=found,
        is_live=found.status in LIVE,
        rows=stretches.rows(found, now=ask.now),
        n_steps=len(found.steps),
        spent=stretches.spent(found, now=ask.now),
        longest=stretches.longest(found),
        wrong=stretches.wrong(found),
        retried=stretches.retried(found.steps),
        waits=waits,
        again=stretches.to_be_tried_again(found),
        linked=linked,
        events=events,
        exposures=served,
        copied=copied(ask, copies.one(ask.project, id_)),
        trace=await of_run(ask, found.id),
        panel=None if span is None else await _panel(ask, found.id, span),
    )


async def _panel(ask: Ask, run_id: str, span: str) -> SpanView | None:
    """The span that the query names; None for one of another run of the trace."""
    try:
        return await span_of_run(ask, run_id, span)
    except RefusedError as error:
        if error.code != "span_not_found":
            raise
        return None


async def peek(ask: Ask) -> PeekView:
    """What the panel of a list shows."""
    found = await ask.api.get(RunDetail, ask.api_path(), WITHOUT_SPANS)

    async def read(reading: Reading) -> list[ExposureRecord]:
        return await exposures.of_runs(reading, project=ask.project, runs=[parse(found.id)])

    return PeekView(
        run=found,
        is_live=found.status in LIVE,
        rows=stretches.rows(found, now=ask.now),
        n_steps=len(found.steps),
        spent=stretches.spent(found, now=ask.now),
        wrong=stretches.wrong(found),
        exposures=await ask.read(read),
    )


def _uuid(trace_id: str) -> str:
    return f"{trace_id[:8]}-{trace_id[8:12]}-{trace_id[12:16]}-{trace_id[16:20]}-{trace_id[20:]}"


RUN = Page(
    path="/runs/{run_id}",
    name="runs",
    title="Run",
    template="run.html",
    render=run,
    api="runs/{run_id}",
    own=frozenset({"span", "name", "value", "author", "rationale"}),
    live=("runs", "scores"),
    scripts=("waterfall.js",),
)
RUN_PAGES = (
    Page(
        path="/runs/{run_id}/peek",
        name="runs",
        title="Run",
        template="run_peek.html",
        render=peek,
        api="runs/{run_id}",
        is_panel=True,
    ),
    *SPAN_PAGES,
    *TRACE_PAGES,
    *COMPARE_PAGES,
    RUN,
)
