"""A name's scores in numbers: rate or mean, over time, by function and variant, distribution."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from assay.scoring import periods
from assay.scoring.rollups import STATES
from assay.store import rollups, score_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from assay.scoring.periods import Scored
    from assay.scoring.samples import Sample
    from assay.stats.intervals import Estimate
    from assay.store.pages import Page, Reading
    from assay.store.rollups import OutcomeCount, ScoreCount
    from assay.store.score_values import Range, RunValue, Served

K = TypeVar("K")

MOST_RUNS = 2_000
MOST_RUNS_IN_LIST = 500
"""Over so many runs that have a name so many of them stand for all in intervals."""
_QUANTILES = 40
_EVER = timedelta(days=366_000)
_HOUR_S = 3600
_WIDTHS_S = (1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The runs of a stretch of time, of a function or of a variant.

    Attributes:
        label: what it is a group of: app and function, or experiment and variant.
        start, end: of a stretch of time.
    """

    label: tuple[str, str] = ("", "")
    start: datetime | None = None
    end: datetime | None = None
    n: int
    estimate: Estimate
    outcomes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SharePoint:
    """The share of runs whose value is at most this one."""

    value: float
    share: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A name's scores in the runs of a range of time.

    Attributes:
        type: `boolean`, `number`, or `mixed`; None where no run has one.
        n: runs that count. `sampled`: how many of them, spread over the range, its intervals are
            made of; None where those are all.
        clustered_by: the session key whose sessions are taken to vary on their own.
        outcomes: promises of the name by state.
    """

    name: str
    within: Range
    type: str | None
    n: int
    sampled: int | None
    clustered_by: str | None
    estimate: Estimate
    least: float | None
    greatest: float | None
    last_at: datetime | None
    outcomes: dict[str, int]
    over_time: list[Group]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A name's scores at length; `lowest` and `highest` are runs by their value.

    Variants and the distribution are those of the sample, where there is one.
    """

    summary: Summary
    by_function: list[Group]
    by_variant: list[Group]
    distribution: list[SharePoint]
    lowest: list[RunValue]
    highest: list[RunValue]


async def page(
    cursor: Reading, *, project: int, within: Range, limit: int, after: str | None
) -> Page[Summary]:
    """A page of names, each summed up over the runs of a range of time."""
    found = await score_values.names(cursor, project=project, limit=limit, after=after)
    counted = rollups.Counted(project=project, since=within.after, until=within.before)
    counts = _by_name(await rollups.scores(cursor, counted, names=found.items))
    outcomes = await rollups.outcomes(cursor, counted, names=found.items)
    promised = _states(outcomes, lambda one: one.name)
    most = MOST_RUNS_IN_LIST
    slices = [
        one
        for name in found.items
        for one in periods.slices(name, counts[name], within, most=most, some=most)
    ]
    rows = await score_values.of_slices(cursor, slices, project=project, within=within)
    by_name = {name: [*group] for name, group in groupby(rows, key=lambda row: row.name)}
    return found.map(
        lambda name: _summary(
            name,
            within,
            periods.scored(by_name.get(name, []), counts[name], most=most),
            promised.get(name, dict.fromkeys(STATES, 0)),
            buckets=12,
        )
    )


async def detail(cursor: Reading, *, project: int, name: str, within: Range) -> Detail | None:
    """A name at length; None where nothing was ever scored or promised under it."""
    counted = rollups.Counted(project=project, since=within.after, until=within.before)
    counts = await rollups.scores(cursor, counted, names=[name])
    outcomes = await rollups.outcomes(cursor, counted, names=[name])
    slices = periods.slices(name, counts, within, most=MOST_RUNS, some=MOST_RUNS)
    rows = await score_values.of_slices(cursor, slices, project=project, within=within)
    if not (rows or outcomes) and not await score_values.is_known(
        cursor, project=project, name=name
    ):
        return None
    runs = periods.scored(rows, counts, most=MOST_RUNS)
    by_function = await rollups.scores(cursor, counted, names=[name], per=_EVER, by_function=True)
    served = await score_values.served(cursor, project=project, runs=[row.run_id for row in rows])
    promised = _states(outcomes, lambda one: one.name).get(name, dict.fromkeys(STATES, 0))
    lowest, highest = [
        await periods.extremes(
            cursor, name, runs, project=project, within=within, highest=is_highest
        )
        for is_highest in (False, True)
    ]
    return Detail(
        summary=_summary(name, within, runs, promised, buckets=48),
        by_function=_by_function(runs, by_function, outcomes),
        by_variant=_by_variant(runs, served),
        distribution=_distribution(runs.sample),
        lowest=lowest,
        highest=highest,
    )


def _by_name(counts: Iterable[ScoreCount]) -> dict[str, list[ScoreCount]]:
    found: dict[str, list[ScoreCount]] = defaultdict(list)
    for one in counts:
        found[one.name].append(one)
    return found


def _states(
    counts: Iterable[OutcomeCount], key: Callable[[OutcomeCount], K]
) -> dict[K, dict[str, int]]:
    found: dict[K, dict[str, int]] = {}
    for one in counts:
        found.setdefault(key(one), dict.fromkeys(STATES, 0))[one.state] += one.n
    return found


def _summary(
    name: str, within: Range, runs: Scored, outcomes: dict[str, int], *, buckets: int
) -> Summary:
    n, estimate = runs.figures(runs.all(), runs.counts or [])
    least, greatest = runs.bounds
    return Summary(
        name=name,
        within=within,
        type=runs.type,
        n=n,
        sampled=None if runs.counts is None else len(runs.rows),
        clustered_by=runs.group.key,
        estimate=estimate,
        least=least,
        greatest=greatest,
        last_at=max((row.at for row in runs.rows), default=None),
        outcomes=outcomes,
        over_time=_over_time(runs, buckets),
    )


def _over_time(runs: Scored, most: int) -> list[Group]:
    """Stretches of equal length with runs in them; those without are left out, not 0."""
    if not runs.rows:
        return []
    at = np.asarray([row.queued_at.timestamp() for row in runs.rows])
    starts = [one.at.timestamp() for one in runs.counts or ()] or at.tolist()
    span = max(starts) - min(starts)
    widths = [w for w in _WIDTHS_S if runs.counts is None or w >= _HOUR_S]
    width = next((width for width in widths if span / width < most - 1), widths[-1])
    place = np.floor(at / width).astype(np.int64)
    counts: dict[int, list[ScoreCount]] = defaultdict(list)
    for one in runs.counts or ():
        counts[int(one.at.timestamp() // width)].append(one)
    groups = []
    for number in sorted(counts) if counts else np.unique(place).tolist():
        n, estimate = runs.figures(place == number, counts[number])
        start, end = _instant(number * width), _instant((number + 1) * width)
        groups.append(Group(start=start, end=end, n=n, estimate=estimate))
    return groups


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


def _by_function(
    runs: Scored, counts: Sequence[ScoreCount], outcomes: Sequence[OutcomeCount]
) -> list[Group]:
    promised = _states(outcomes, lambda one: (one.app, one.fn))
    of: dict[tuple[str, str], list[ScoreCount]] = defaultdict(list)
    for one in counts:
        of[one.app or "", one.fn or ""].append(one)
    seen = {(row.app, row.fn) for row in runs.rows}
    groups = []
    for label in sorted(seen | promised.keys() | (of.keys() if runs.counts else set())):
        chosen = runs.among((row.app, row.fn) == label for row in runs.rows)
        n, estimate = runs.figures(chosen, of[label])
        states = promised.get(label, dict.fromkeys(STATES, 0))
        groups.append(Group(label=label, n=n, estimate=estimate, outcomes=states))
    return groups


def _by_variant(runs: Scored, served: Sequence[Served]) -> list[Group]:
    of: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    for one in served:
        of[one.experiment, one.variant].add(one.run_id)
    groups = []
    for label, ids in sorted(of.items()):
        chosen = runs.among(row.run_id in ids for row in runs.rows)
        groups.append(
            Group(label=label, n=int(chosen.sum()), estimate=runs.sample.estimate(chosen))
        )
    return groups


def _distribution(sample: Sample) -> list[SharePoint]:
    """The shares up to each value, or up to some quantiles where there are many values."""
    if not sample.values.size:
        return []
    found = np.unique(sample.values)
    if len(found) > _QUANTILES:
        levels = np.linspace(0, 1, _QUANTILES + 1)
        found = np.unique(np.quantile(sample.values, levels, method="inverted_cdf"))
    return [SharePoint(float(value), sample.share(sample.values <= value)) for value in found]
