"""Reading outcomes: the promises of scores, what became of each, and every change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from assay.ids import floor_at
from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pages import Reading
    from assay.store.score_values import Range

_SQL = queries("outcomes")
_KEY = ("after_run", "after_defer", "after_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """A promised score and its present state.

    Attributes:
        run_id: the run that promised it. `scorer_run`: the run that is to keep the promise.
        reason: why it is not observed, where that is known.
        due_at: when the scorer's present wait gives up.
    """

    run_id: UUID
    defer_id: str
    name: str
    scorer: str
    state: str
    reason: str | None
    score_id: UUID | None
    promised_at: datetime
    changed_at: datetime
    scorer_run: UUID | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeChange:
    """A state that an outcome came into."""

    run_id: UUID
    defer_id: str
    name: str
    state: str
    changed_at: datetime
    reason: str | None
    score_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFilter:
    """Which outcomes a list is of: those that fit everything that is given.

    Attributes:
        run: the one that promised them; else `app` and `function` are those of the runs.
        session: key and id of one that the runs are in.
        since: of runs whose ids were minted from then on. `until`: before then.
        promised_since, promised_until: the same of when the promise was made.
        overdue: the present instant: those that wait for what should have come before it.
    """

    run: UUID | None = None
    name: str | None = None
    state: str | None = None
    scorer: str | None = None
    app: str | None = None
    function: str | None = None
    session: tuple[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    promised_since: datetime | None = None
    promised_until: datetime | None = None
    overdue: datetime | None = None

    def values(self) -> dict[str, object]:
        """What is given, by the part of the query that asks for it."""
        found = {
            "by_run": self.run,
            "by_name": self.name,
            "by_state": self.state,
            "by_scorer": self.scorer,
            "by_app": self.app,
            "by_function": self.function,
            "in_session": None if self.session is None else list(self.session),
            "since": None if self.since is None else floor_at(self.since),
            "until": None if self.until is None else floor_at(self.until),
            "promised_since": self.promised_since,
            "promised_until": self.promised_until,
            "overdue": self.overdue,
        }
        return {part: value for part, value in found.items() if value is not None}


async def page(
    cursor: Reading,
    *,
    project: int,
    limit: int,
    filter_: OutcomeFilter,
    after: str | None = None,
) -> Page[OutcomeRecord]:
    """A page of outcomes, those of the newest runs first."""
    given = filter_.values()
    values: dict[str, object] = {**given, "project": project, "limit": limit + 1}
    parts = ["list", *given]
    if after is not None:
        parts.append("after")
        values |= dict(zip(_KEY, decode("outcomes", after, (UUID, str, str)), strict=True))
    query = compose(_SQL[part] for part in (*parts, "newest_first"))
    rows = await fetch(cursor, query, values)
    return page_of(
        "outcomes",
        [OutcomeRecord(**row) for row in rows],
        limit,
        lambda o: (o.run_id, o.defer_id, o.name),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A promise as it stands, with the sessions of its run as JSON text."""

    run_id: UUID
    name: str
    scorer: str
    state: str
    promised_at: datetime
    changed_at: datetime
    sessions: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCount:
    """Promises of a name by a scorer that are in one state and of one age.

    Attributes:
        age: its place among the ages that were asked for: 0 under the first of them.
        oldest: when the oldest of them was promised.
    """

    scorer: str
    name: str
    state: str
    age: int
    n: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCount:
    """Pending promises of a name by a scorer, and of an age, whose scorer should have ended."""

    scorer: str
    name: str
    age: int
    n: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The promises of the runs of a range of time, at an instant; ages are in seconds."""

    project: int
    within: Range
    now: datetime
    ages_s: Sequence[float]

    def values(self) -> dict[str, object]:
        """What its queries are bound to."""
        return {
            "project": self.project,
            "first": floor_at(self.within.after),
            "next": floor_at(self.within.before),
            "now": self.now,
            "ages": list(self.ages_s),
        }


async def ledger_counts(cursor: Reading, ledger: Ledger) -> list[LedgerCount]:
    """How many promises there are, by scorer, name, state and age."""
    rows = await fetch(cursor, _SQL["ledger_counts"], ledger.values())
    found = [LedgerCount(**row) for row in rows]
    return sorted(found, key=lambda one: (one.scorer, one.name, one.state, one.age))


async def ledger_overdue(cursor: Reading, ledger: Ledger) -> list[OverdueCount]:
    """How many wait for what should have come by now."""
    rows = await fetch(cursor, _SQL["ledger_overdue"], ledger.values())
    return [OverdueCount(**row) for row in rows]


async def ledger_entries(cursor: Reading, ledger: Ledger, *, share: float) -> list[LedgerEntry]:
    """Promises by scorer and name: those of a share of the runs, taken by chance in their ids."""
    values = ledger.values() | {"share": math.ceil(share * 65_536)}
    return [LedgerEntry(**row) for row in await fetch(cursor, _SQL["ledger"], values)]


async def of_runs(
    cursor: Reading, *, project: int, runs: Sequence[UUID], limit: int
) -> list[OutcomeRecord]:
    """The outcomes that some runs have promised, those of the newest first."""
    values = {"project": project, "runs": list(runs), "limit": limit}
    query = compose(_SQL[part] for part in ("list", "by_runs", "newest_first"))
    return [OutcomeRecord(**row) for row in await fetch(cursor, query, values)]


async def changes(cursor: Reading, *, project: int, runs: Sequence[UUID]) -> list[OutcomeChange]:
    """All changes of the outcomes of some runs, each outcome's in the order of time."""
    rows = await fetch(cursor, _SQL["changes"], {"project": project, "runs": list(runs)})
    return [OutcomeChange(**row) for row in rows]
