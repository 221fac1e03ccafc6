"""Outcomes: what was promised, what became of it, and how long answers take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.dashboard import filters
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Page
from assay.dashboard.pages.scores import CHARTS, USUAL_DAYS
from assay.dashboard.texts import iso
from assay.store.copies import scores as copies
from assay.wire.outcome_ledger import OutcomeSummary
from assay.wire.outcomes import Outcome

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask
    from assay.wire.outcome_ledger import AgePromises

STATES = ("pending", "observed", "timed_out", "skipped", "failed", "cancelled")
ABOUT = frozenset({"run_id", "cursor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesView:
    """A page of outcomes.

    Attributes:
        summary: of all in a range of time; None where one run or a later page is looked at.
        is_filtered: whether the list is of some of them.
    """

    outcomes: list[Outcome]
    next: str | None
    summary: OutcomeSummary | None
    days: str
    is_filtered: bool
    states: tuple[str, ...]
    copied: Copied

    def made(self, age: AgePromises) -> dict[str, str]:
        """The part of a query that asks for promises of an age in the summary."""
        assert self.summary is not None
        now = self.summary.queued_before
        found = {"promised_before": iso(now - timedelta(seconds=age.min_s))} if age.min_s else {}
        if age.max_s is not None:
            found["promised_after"] = iso(now - timedelta(seconds=age.max_s))
        return found


async def outcomes(ask: Ask) -> OutcomesView:
    """Promises that fit the query, and the ledger of all."""
    found = await ask.items(Outcome)
    days = ask.query.get("days", USUAL_DAYS)
    summary = None
    if not ABOUT & ask.query.keys():
        summary = await ask.api.get(OutcomeSummary, "outcomes/summary", [("days", days)])
    after = ask.query.get("cursor")
    sql = copies.outcomes(ask.project, filters.outcomes(ask), after=after)
    return OutcomesView(
        outcomes=found.items,
        next=found.next,
        summary=summary,
        days=days,
        is_filtered=bool(ask.api_query()),
        states=STATES,
        copied=copied(ask, sql, is_from_here=True),
    )


PAGES = (
    Page(
        path="/outcomes",
        name="outcomes",
        title="Outcomes",
        nav="Outcomes",
        key="u",
        render=outcomes,
        api="outcomes",
        own=frozenset({"days"}),
        live=("runs", "scores"),
        scripts=CHARTS,
    ),
)
