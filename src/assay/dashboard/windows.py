"""Stretches of time that pages look at, and what happened in them as rows and bars."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from assay.dashboard.sparks import spark
from assay.dashboard.volumes import EPOCH, volume
from assay.ids import minted_at
from assay.scoring import failures, periods
from assay.scoring.summaries import MOST_RUNS_IN_LIST
from assay.stats.durations import quantile
from assay.store import activity, rollups, score_values
from assay.store.score_values import Range, Slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from assay.dashboard.asking import Ask
    from assay.dashboard.sparks import Spark
    from assay.dashboard.volumes import Volume
    from assay.scoring.failures import Ended
    from assay.scoring.periods import Scored
    from assay.stats.intervals import Estimate
    from assay.store.activity import LiveCount
    from assay.store.pages import Reading
    from assay.store.rollups import Counted, DurationCount, OutcomeCount, RunCount, ScoreCount
    from assay.store.score_values import RunValue

_HOUR = timedelta(hours=1)
# How long each is, and the width of its bars.
WINDOWS = {
    "24h": (24 * _HOUR, _HOUR),
    "1h": (_HOUR, timedelta(minutes=1)),
    "7d": (7 * 24 * _HOUR, 3 * _HOUR),
    "30d": (30 * 24 * _HOUR, 12 * _HOUR),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRow:
    """A function over the window.

    Attributes:
        failed: the share of failed runs among the `n_ended` that have ended.
        bars: its runs by bucket, as shares of the greatest, for a sparkline.
    """

    app: str
    fn: str
    n: int
    n_ended: int
    n_failed: int
    failed: Estimate
    median_s: float | None
    p95_s: float | None
    live: LiveCount | None
    bars: list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """A score over the window's runs, each counted once.

    Attributes:
        is_share: whether it is a boolean in all of them, so that the estimate is a share.
        spark: its estimates by bucket.
        outcomes: promises by state.
    """

    name: str
    n: int
    is_share: bool
    estimate: Estimate
    spark: Spark
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A window with all that is said of it.

    Attributes:
        since: the start of its first bar; the last one is not over.
        median_s, p95_s: within 5 %, as `stats.durations` has them.
    """

    window: str
    since: datetime
    until: datetime
    n: int
    n_ended: int
    n_failed: int
    failed: Estimate
    median_s: float | None
    p95_s: float | None
    volume: Volume
    functions: list[FunctionRow]
    scores: list[ScoreRow]
    live: list[LiveCount]

    def live_total(self, state: str) -> int:
        """How many runs are `queued`, `running` or `waiting`."""
        return sum(getattr(one, state) for one in self.live)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was counted in a window.

    Attributes:
        ended: runs that have ended. `scored`: those that have a score, by its name. Both are for
            intervals: the runs of a session are alike, so sessions are what varies on its own.
    """

    runs: list[RunCount]
    ended: Ended
    durations: list[DurationCount]
    scored: dict[str, Scored]
    outcomes: list[OutcomeCount]
    live: list[LiveCount]


async def summary(ask: Ask, *, app: str | None = None, fn: str | None = None) -> Summary:
    """What happened in the window that the query names; of one function, where it is given."""
    word = ask.choice("window", tuple(WINDOWS))
    length, width = WINDOWS[word]
    since = ask.now - (ask.now - EPOCH) % width - length
    counted = rollups.Counted(project=ask.project, since=since, until=ask.now, app=app, function=fn)

    async def read(reading: Reading) -> _Found:
        runs = await rollups.runs(reading, counted, per=width)
        return _Found(
            runs=runs,
            ended=await failures.ended(reading, runs, counted, per=width),
            durations=await rollups.durations(reading, counted),
            scored=await _scored(reading, counted, width),
            outcomes=await rollups.outcomes(reading, counted),
            live=[
                one
                for one in await activity.live(reading, project=ask.project)
                if fn is None or (one.app, one.fn) == (app, fn)
            ],
        )

    found = await ask.read(read)
    count = length // width + 1
    n = sum(one.n for one in found.runs)
    n_failed = sum(one.n for one in found.runs if one.status == "failed")
    n_ended = sum(one.n for one in found.runs if one.status != "live")
    median_s, p95_s = _took(found.durations)
    return Summary(
        window=word,
        since=since,
        until=ask.now,
        n=n,
        n_ended=n_ended,
        n_failed=n_failed,
        failed=found.ended.share(n_failed, n_ended),
        median_s=median_s,
        p95_s=p95_s,
        volume=volume(since, ask.now, width, found.runs),
        functions=_functions(since, ask.now, width, found),
        scores=_scores(since, width, count, found),
        live=found.live,
    )


async def _scored(reading: Reading, counted: Counted, width: timedelta) -> dict[str, Scored]:
    """The runs of a window that have a score, by its name."""
    counts: dict[str, list[ScoreCount]] = defaultdict(list)
    for one in await rollups.scores(reading, counted, per=width):
        counts[one.name].append(one)
    within, most = Range(counted.since, counted.until), MOST_RUNS_IN_LIST
    slices = [
        part
        for name in counts
        for part in (
            periods.slices(name, counts[name], within, most=most, some=most, per=width)
            if counted.function is None
            else [Slice(name, *within.ids, most)]
        )
    ]
    rows: dict[str, list[RunValue]] = defaultdict(list)
    for row in await score_values.of_slices(
        reading, slices, project=counted.project, within=within
    ):
        if counted.function in {None, row.fn} and counted.app in {None, row.app}:
            rows[row.name].append(row)
    return {
        name: periods.scored(
            rows[name], counts[name], most=most if counted.function is None else len(rows[name])
        )
        for name in counts
    }


def _took(durations: Iterable[DurationCount]) -> tuple[float | None, float | None]:
    """The median and the 95th percentile in seconds."""
    counts: Counter[int] = Counter()
    for one in durations:
        counts[one.bucket] += one.n
    median, p95 = quantile(counts, 0.5), quantile(counts, 0.95)
    return (None if median is None else median / 1e6), (None if p95 is None else p95 / 1e6)


def _functions(
    since: datetime, until: datetime, width: timedelta, found: _Found
) -> list[FunctionRow]:
    by_function: dict[tuple[str, str], list[RunCount]] = defaultdict(list)
    for one in found.runs:
        by_function[one.app, one.fn].append(one)
    times: dict[tuple[str, str], list[DurationCount]] = defaultdict(list)
    for took in found.durations:
        times[took.app, took.fn].append(took)
    alive = {(one.app, one.fn): one for one in found.live}
    rows = []
    for (app, fn), runs in by_function.items():
        n_failed = sum(one.n for one in runs if one.status == "failed")
        n_ended = sum(one.n for one in runs if one.status != "live")
        median_s, p95_s = _took(times[app, fn])
        over_time = volume(since, until, width, runs)
        last = max(1, len(over_time.bars) - 1)
        rows.append(
            FunctionRow(
                app=app,
                fn=fn,
                n=sum(one.n for one in runs),
                n_ended=n_ended,
                n_failed=n_failed,
                failed=found.ended.share(n_failed, n_ended, function=(app, fn)),
                median_s=median_s,
                p95_s=p95_s,
                live=alive.get((app, fn)),
                bars=[
                    (place / last, bar.n / over_time.most)
                    for place, bar in enumerate(over_time.bars)
                ],
            )
        )
    return sorted(rows, key=lambda row: (-row.n, row.app, row.fn))


def _scores(since: datetime, width: timedelta, count: int, found: _Found) -> list[ScoreRow]:
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found.outcomes:
        states[one.name][one.state] += one.n
    rows = []
    for name in sorted(found.scored.keys() | states.keys()):
        runs = found.scored.get(name) or periods.scored([], [], most=0)
        n, estimate = runs.figures(runs.all(), runs.counts or [])
        over_time = [
            (place / (count - 1), one.estimate, one.ci)
            for place, one in _over_time(since, width, runs)
        ]
        rows.append(
            ScoreRow(
                name=name,
                n=n,
                is_share=runs.sample.is_share,
                estimate=estimate,
                spark=spark(over_time, is_share=runs.sample.is_share),
                outcomes=states[name],
            )
        )
    return rows


def _over_time(since: datetime, width: timedelta, runs: Scored) -> list[tuple[int, Estimate]]:
    """The estimates of the buckets that have runs."""
    places = np.asarray([(minted_at(row.run_id) - since) // width for row in runs.rows])
    counts: dict[int, list[ScoreCount]] = defaultdict(list)
    for one in runs.counts or ():
        counts[(one.at - since) // width].append(one)
    return [
        (place, runs.figures(places == place, counts[place])[1])
        for place in sorted(counts or {*places.tolist()})
    ]
