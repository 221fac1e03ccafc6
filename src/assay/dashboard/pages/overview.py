"""The project at a glance: how much, how well, what failed, what is said of experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.page import Page
from assay.dashboard.windows import WINDOWS, summary
from assay.wire.experiments import Experiment
from assay.wire.functions import Function
from assay.wire.runs import Run

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.dashboard.windows import Summary

SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """What the page shows.

    Attributes:
        failures: the newest failed runs, whenever they were.
        newest: the newest run of all, None in a project where nothing has run yet.
    """

    windows: tuple[str, ...]
    summary: Summary
    failures: list[Run]
    experiments: list[Experiment]
    newest: Run | None
    has_functions: bool


async def overview(ask: Ask) -> OverviewView:
    """The window's numbers, the newest failures, the experiments."""
    newest = await ask.api.items(Run, "runs", [("limit", 1), ("output", False)])
    failed = [("limit", SHOWN), ("output", False), ("status", "failed")]
    failures = await ask.api.items(Run, "runs", failed)
    experiments = await ask.api.items(Experiment, "experiments", [("limit", SHOWN)])
    functions = await ask.api.items(Function, "functions", [("limit", 1)])
    return OverviewView(
        windows=tuple(WINDOWS),
        summary=await summary(ask),
        failures=failures.items,
        experiments=experiments.items,
        newest=newest.items[0] if newest.items else None,
        has_functions=bool(functions.items),
    )


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
