"""A name's scores in numbers: rate or mean, over time, by function and variant, distribution."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from assay.scoring.rollups import STATES
from assay.scoring.samples import Grouping, Sample, grouping
from assay.store import score_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from numpy.typing import NDArray

    from assay.stats.intervals import Estimate
    from assay.store.pages import Page, Reading
    from assay.store.score_values import PromiseCount, Range, RunValue, Served

K = TypeVar("K")

MOST_RUNS = 10_000
MOST_RUNS_IN_LIST = 1_000
EXTREMES = 10
_QUANTILES = 40
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
        n: runs that count, the newest where `is_cut` says that there are more.
        clustered_by: the session key whose sessions are taken to vary on their own.
        outcomes: promises of the name by state.
    """

    name: str
    within: Range
    type: str | None
    n: int
    is_cut: bool
    clustered_by: str | None
    estimate: Estimate
    least: float | None
    greatest: float | None
    last_at: datetime | None
    outcomes: dict[str, int]
    over_time: list[Group]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A name's scores at length; `lowest` and `highest` are runs by their value."""

    summary: Summary
    by_function: list[Group]
    by_variant: list[Group]
    distribution: list[SharePoint]
    lowest: list[RunValue]
    highest: list[RunValue]


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    rows: Sequence[RunValue]
    group: Grouping
    sample: Sample

    def among(self, chosen: Iterable[bool]) -> NDArray[np.bool_]:
        return np.fromiter(chosen, dtype=np.bool_, count=len(self.rows))


async def page(
    cursor: Reading, *, project: int, within: Range, limit: int, after: str | None
) -> Page[Summary]:
    """A page of names, each summed up over the newest `MOST_RUNS_IN_LIST` runs that have it."""
    found = await score_values.names(cursor, project=project, limit=limit, after=after)
    rows = await score_values.newest(
        cursor, project=project, names=found.items, within=within, limit=MOST_RUNS_IN_LIST + 1
    )
    counts = await score_values.promises(cursor, project=project, names=found.items, within=within)
    by_name = {name: [*group] for name, group in groupby(rows, key=lambda row: row.name)}
    promised = _states(counts, lambda one: one.name)
    return found.map(
        lambda name: _summary(
            name,
            within,
            _values(by_name.get(name, [])[:MOST_RUNS_IN_LIST]),
            promised.get(name, dict.fromkeys(STATES, 0)),
            buckets=12,
            is_cut=len(by_name.get(name, [])) > MOST_RUNS_IN_LIST,
        )
    )


async def detail(cursor: Reading, *, project: int, name: str, within: Range) -> Detail | None:
    """A name at length; None where nothing was ever scored or promised under it."""
    found = await score_values.newest(
        cursor, project=project, names=[name], within=within, limit=MOST_RUNS + 1
    )
    counts = await score_values.promises(cursor, project=project, names=[name], within=within)
    if not (found or counts) and not await score_values.is_known(
        cursor, project=project, name=name
    ):
        return None
    values = _values(found[:MOST_RUNS])
    served = await score_values.served(
        cursor, project=project, runs=[row.run_id for row in values.rows]
    )
    promised = _states(counts, lambda one: one.name).get(name, dict.fromkeys(STATES, 0))
    is_cut = len(found) > MOST_RUNS
    by_value = sorted(values.rows, key=lambda row: row.value)
    return Detail(
        summary=_summary(name, within, values, promised, buckets=48, is_cut=is_cut),
        by_function=_by_function(values, counts),
        by_variant=_by_variant(values, served),
        distribution=_distribution(values.sample),
        lowest=by_value[:EXTREMES],
        highest=sorted(values.rows, key=lambda row: -row.value)[:EXTREMES],
    )


def _states(
    counts: Iterable[PromiseCount], key: Callable[[PromiseCount], K]
) -> dict[K, dict[str, int]]:
    found: dict[K, dict[str, int]] = {}
    for one in counts:
        found.setdefault(key(one), dict.fromkeys(STATES, 0))[one.state] += one.n
    return found


def _values(rows: Sequence[RunValue]) -> _Values:
    group = grouping([row.sessions for row in rows])
    is_share = all(row.is_bool for row in rows)
    numbers = np.asarray([row.value for row in rows], dtype=np.float64)
    sample = Sample(values=numbers, labels=group.labels, is_share=is_share, unit=group.unit)
    return _Values(rows, group, sample)


def _summary(
    name: str,
    within: Range,
    values: _Values,
    outcomes: dict[str, int],
    *,
    buckets: int,
    is_cut: bool,
) -> Summary:
    rows = values.rows
    kinds = {row.is_bool for row in rows}
    return Summary(
        name=name,
        within=within,
        type=None if not kinds else "mixed" if len(kinds) > 1 else _TYPES[kinds.pop()],
        n=len(rows),
        is_cut=is_cut,
        clustered_by=values.group.key,
        estimate=values.sample.estimate(),
        least=min((row.value for row in rows), default=None),
        greatest=max((row.value for row in rows), default=None),
        last_at=max((row.at for row in rows), default=None),
        outcomes=outcomes,
        over_time=_over_time(values, buckets),
    )


_TYPES = {True: "boolean", False: "number"}


def _over_time(values: _Values, most: int) -> list[Group]:
    """Stretches of equal length with runs in them; those without are left out, not 0."""
    if not values.rows:
        return []
    at = np.asarray([row.queued_at.timestamp() for row in values.rows])
    span = float(at.max() - at.min())
    width = next((width for width in _WIDTHS_S if span / width < most - 1), _WIDTHS_S[-1])
    place = np.floor(at / width).astype(np.int64)
    return [
        Group(
            start=_instant(number * width),
            end=_instant((number + 1) * width),
            n=int((place == number).sum()),
            estimate=values.sample.estimate(place == number),
        )
        for number in np.unique(place).tolist()
    ]


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


def _by_function(values: _Values, counts: Sequence[PromiseCount]) -> list[Group]:
    promised = _states(counts, lambda one: (one.app, one.fn))
    labels = sorted({(row.app, row.fn) for row in values.rows} | promised.keys())
    return [
        _group(
            values,
            label,
            values.among((row.app, row.fn) == label for row in values.rows),
            promised.get(label, dict.fromkeys(STATES, 0)),
        )
        for label in labels
    ]


def _by_variant(values: _Values, served: Sequence[Served]) -> list[Group]:
    runs: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    for one in served:
        runs[one.experiment, one.variant].add(one.run_id)
    return [
        _group(values, label, values.among(row.run_id in of_variant for row in values.rows), {})
        for label, of_variant in sorted(runs.items())
    ]


def _group(
    values: _Values, label: tuple[str, str], chosen: NDArray[np.bool_], outcomes: dict[str, int]
) -> Group:
    return Group(
        label=label,
        n=int(chosen.sum()),
        estimate=values.sample.estimate(chosen),
        outcomes=outcomes,
    )


def _distribution(sample: Sample) -> list[SharePoint]:
    """The shares up to each value, or up to some quantiles where there are many values."""
    if not sample.values.size:
        return []
    found = np.unique(sample.values)
    if len(found) > _QUANTILES:
        levels = np.linspace(0, 1, _QUANTILES + 1)
        found = np.unique(np.quantile(sample.values, levels, method="inverted_cdf"))
    return [SharePoint(float(value), sample.share(sample.values <= value)) for value in found]
