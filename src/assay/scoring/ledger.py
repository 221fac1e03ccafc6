"""Promises in numbers: by scorer and by age, with the share that is answered as they grow older."""

from __future__ import annotations

from collections import Counter, defaultdict
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
    from assay.store.outcomes import LedgerCount, LedgerEntry
    from assay.store.pages import Reading
    from assay.store.score_values import Range

MOST_PROMISES = 1_000
"""Of more than these only some, taken by chance, tell of sessions and of the curve."""
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
    """The promises of the runs of a range of time.

    Attributes:
        sampled: how many of them curves and intervals are made of; None where those are all.
    """

    within: Range
    n: int
    sampled: int | None
    by_scorer: list[OfScorer]
    by_age: list[OfAge]


async def read(cursor: Reading, *, project: int, within: Range, now: datetime) -> Ledger:
    """The ledger at an instant."""
    asked = outcomes.Ledger(project, within, now, AGES_S)
    counts = await outcomes.ledger_counts(cursor, asked)
    overdue = await outcomes.ledger_overdue(cursor, asked)
    n = sum(one.n for one in counts)
    is_sample = n > MOST_PROMISES
    share = MOST_PROMISES / n if is_sample else 1.0
    rows = await outcomes.ledger_entries(cursor, asked, share=share)
    entries: dict[tuple[str, str], list[LedgerEntry]] = defaultdict(list)
    for row in rows:
        entries[row.scorer, row.name].append(row)
    ages: dict[int, list[LedgerEntry]] = defaultdict(list)
    for row, place in zip(rows, _places(rows, now), strict=True):
        ages[place].append(row)
    return Ledger(
        within=within,
        n=n,
        sampled=len(rows) if is_sample else None,
        by_scorer=[
            _of_scorer(
                *label,
                _promised(
                    [*group],
                    entries[label],
                    sum(late.n for late in overdue if (late.scorer, late.name) == label),
                    is_sample=is_sample,
                ),
                [one.oldest for one in counts if _label(one) == label and _is_pending(one)],
                entries[label],
                now,
            )
            for label, group in groupby(counts, key=_label)
        ],
        by_age=[
            OfAge(
                least_s=0.0 if place == 0 else AGES_S[place - 1],
                most_s=AGES_S[place] if place < len(AGES_S) else None,
                promised=_promised(
                    [one for one in counts if one.age == place],
                    ages[place],
                    sum(late.n for late in overdue if late.age == place),
                    is_sample=is_sample,
                ),
            )
            for place in sorted({one.age for one in counts})
        ],
    )


def _label(one: LedgerCount) -> tuple[str, str]:
    return one.scorer, one.name


def _is_pending(one: LedgerCount) -> bool:
    return one.state == "pending"


def _of_scorer(
    scorer: str,
    name: str,
    promised: Promised,
    waiting: Sequence[datetime],
    rows: Sequence[LedgerEntry],
    now: datetime,
) -> OfScorer:
    happened = np.asarray([row.state == "observed" for row in rows], dtype=np.bool_)
    ends = [row.changed_at if row.state == "observed" else now for row in rows]
    lasted = [
        max(0.0, (end - row.promised_at).total_seconds())
        for row, end in zip(rows, ends, strict=True)
    ]
    labels = grouping([row.sessions for row in rows]).labels
    return OfScorer(
        scorer=scorer,
        name=name,
        promised=promised,
        oldest_pending=min(waiting, default=None),
        curve=maturity(np.asarray(lasted, dtype=np.float64), happened, labels),
    )


def _places(rows: Sequence[LedgerEntry], now: datetime) -> list[int]:
    """Which age each of them is of."""
    ages = np.asarray([(now - row.promised_at).total_seconds() for row in rows])
    found: list[int] = np.searchsorted(AGES_S, ages, side="right").tolist()
    return found


def _promised(
    counts: Sequence[LedgerCount],
    rows: Sequence[LedgerEntry],
    overdue: int,
    *,
    is_sample: bool,
) -> Promised:
    states: Counter[str] = Counter()
    for one in counts:
        states[one.state] += one.n
    n = states.total()
    group = grouping([row.sessions for row in rows])
    observed = np.asarray([row.state == "observed" for row in rows], dtype=np.float64)
    sample = Sample(values=observed, labels=group.labels, is_share=True, unit=group.unit)
    return Promised(
        n=n,
        states={state: states[state] for state in STATES},
        answered=sample.around(states["observed"] / n) if is_sample else sample.estimate(),
        overdue=overdue,
        clustered_by=group.key,
    )
