"""Runs: the list and its filters, a run with all that belongs to it, and what can be done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Action, Page
from assay.wire.runs import Run

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask

STATUSES = ("queued", "running", "waiting", "completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsView:
    """A page of runs."""

    runs: list[Run]
    next: str | None
    copied: Copied


async def runs(ask: Ask) -> RunsView:
    """The runs that fit the query, the newest first."""
    found = await ask.items(Run, output=False)
    return RunsView(runs=found.items, next=found.next, copied=copied(ask))


PAGES = (
    Page(
        path="/runs",
        name="runs",
        title="Runs",
        nav="Runs",
        key="r",
        render=runs,
        api="runs",
        own=frozenset({"peek"}),
        live=("runs", "scores"),
    ),
)
ACTIONS: tuple[Action, ...] = ()
