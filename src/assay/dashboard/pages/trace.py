"""A whole trace as a table, for those without scripts; its `.json` is what the waterfall draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.asking import part
from assay.dashboard.page import Page
from assay.dashboard.trace_rows import rows_of
from assay.wire.spans import Skeleton

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.dashboard.trace_rows import SpanRow

MOST_READ = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """The first spans of a trace; `n` says how many there are."""

    run_id: str
    rows: list[SpanRow]
    n: int


async def trace(ask: Ask) -> TraceView:
    """The first rows of a trace, as a tree is read."""
    found = await ask.api.get(Skeleton, ask.api_path())
    return TraceView(run_id=ask.params["run_id"], rows=rows_of(found), n=len(found.spans.id))


async def of_run(ask: Ask, run_id: str) -> TraceView:
    """The first rows of a run's trace; none of one that takes long to read."""
    path = f"runs/{part(run_id)}/trace/skeleton"
    found = await ask.api.get(Skeleton, path, [("limit", MOST_READ)])
    rows = rows_of(found) if found.is_complete else []
    return TraceView(run_id=run_id, rows=rows, n=len(found.spans.id))


TRACE_PAGES = (
    Page(
        path="/runs/{run_id}/trace",
        name="runs",
        title="Trace",
        template="trace.html",
        render=trace,
        api="runs/{run_id}/trace/skeleton",
    ),
)
