"""All pages and actions. The order of the modules is that of the navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.dashboard.pages import (
    events,
    experiments,
    find,
    functions,
    outcomes,
    overview,
    runs,
    scores,
    sessions,
)

if TYPE_CHECKING:
    from assay.dashboard.page import Action, Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *runs.PAGES,
    *sessions.PAGES,
    *scores.PAGES,
    *outcomes.PAGES,
    *experiments.PAGES,
    *events.PAGES,
    *functions.PAGES,
    *find.PAGES,
)
ACTIONS: tuple[Action, ...] = (
    *runs.ACTIONS,
    *experiments.ACTIONS,
    *events.ACTIONS,
)
