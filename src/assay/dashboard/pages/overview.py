"""The project at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.page import Page
from assay.wire.runs import Run

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """What the page shows."""

    newest: list[Run]


async def overview(ask: Ask) -> OverviewView:
    """The newest runs."""
    found = await ask.api.items(Run, "runs", [("limit", 10), ("output", False)])
    return OverviewView(newest=found.items)


PAGES = (
    Page(
        path="/",
        name="overview",
        title="Overview",
        nav="Overview",
        key="o",
        render=overview,
        live=("runs", "scores"),
    ),
)
