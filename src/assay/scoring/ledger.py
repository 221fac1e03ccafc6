"""Promises in numbers: by scorer and by age, with the share that is answered as they grow older."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from assay.scoring.rollups import STATES
from assay.scoring.samples import Sample, grouping
from assay.stats.survival import maturity
from assay.store import outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.stats.intervals import Estimate
    from assay.stats.survival import CurvePoint
    from assay.store.outcomes import LedgerEntry
    from assay.store.pages import Reading
    from assay.store.score_values import Range

MOST_PROMISES = 10_000
AGES_S = (60, 3600, 6 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """Some promises and what became of them.

    Attributes:
        states: how many are in each state.
        answered: the share that is observed so far.
        overdue: how many wait for what should have come by now.
        clustered_by: the session key whose sessions are taken to vary on their own.
    """

    n: int
    states: dict[str, int]
    answered: Estimate
    overdue: int
    clustered_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfScorer:
    """The promises of a name by a scorer.

    Attributes:
        oldest_pending: when the oldest of those that wait was promised.
        curve: the share answered by age, in seconds. Those that ended in silence were not answered
            and stay in it, at the age that they have now, so it is the share that ever is.
    """

    scorer: str
    name: str
    promised: Promised
    oldest_pending: datetime | None
    curve: list[CurvePoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAge:
    """Promises made so long ago: from `least_s` seconds on, under `most_s`."""

    least_s: float
    most_s: float | None
    promised: Promised


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The promises of the runs of a range of time, the newest where `is_cut`."""

    within: Range
    n: int
    is_cut: bool
    by_scorer: list[OfScorer]
    by_age: list[OfAge]


async def read(cursor: Reading, *, project: int, within: Range, now: datetime) -> Ledger:
    """The ledger at an instant."""
    found = await outcomes.ledger(cursor, project=project, within=within, limit=MOST_PROMISES + 1)
    rows = found[:MOST_PROMISES]
    return Ledger(
        within=within,
        n=len(rows),
        is_cut=len(found) > MOST_PROMISES,
        by_scorer=[
            _of_scorer(*label, [*group], now)
            for label, group in groupby(rows, key=lambda row: (row.scorer, row.name))
        ],
        by_age=_by_age(rows, now),
    )


def _of_scorer(scorer: str, name: str, rows: Sequence[LedgerEntry], now: datetime) -> OfScorer:
    happened = np.asarray([row.state == "observed" for row in rows])
    ends = [row.changed_at if row.state == "observed" else now for row in rows]
    lasted = [
        max(0.0, (end - row.promised_at).total_seconds())
        for row, end in zip(rows, ends, strict=True)
    ]
    waiting = [row.promised_at for row in rows if row.state == "pending"]
    return OfScorer(
        scorer=scorer,
        name=name,
        promised=_promised(rows, now),
        oldest_pending=min(waiting, default=None),
        curve=maturity(np.asarray(lasted), happened, grouping([r.sessions for r in rows]).labels),
    )


def _by_age(rows: Sequence[LedgerEntry], now: datetime) -> list[OfAge]:
    ages = np.asarray([(now - row.promised_at).total_seconds() for row in rows])
    places = np.searchsorted(AGES_S, ages, side="right").tolist()
    return [
        OfAge(
            least_s=0.0 if place == 0 else AGES_S[place - 1],
            most_s=AGES_S[place] if place < len(AGES_S) else None,
            promised=_promised(
                [row for row, at in zip(rows, places, strict=True) if at == place], now
            ),
        )
        for place in sorted(set(places))
    ]


def _promised(rows: Sequence[LedgerEntry], now: datetime) -> Promised:
    states = Counter(row.state for row in rows)
    group = grouping([row.sessions for row in rows])
    observed = np.asarray([row.state == "observed" for row in rows], dtype=np.float64)
    sample = Sample(values=observed, labels=group.labels, is_share=True, unit=group.unit)
    return Promised(
        n=len(rows),
        states={state: states[state] for state in STATES},
        answered=sample.estimate(),
        overdue=sum(row.due_at is not None and row.due_at < now for row in rows),
        clustered_by=group.key,
    )
