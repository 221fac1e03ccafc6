"""Stretches of time that pages look at, and what happened in them as rows and bars."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assay.stats.intervals import Estimate, mean, proportion
from assay.store import activity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.dashboard.asking import Ask
    from assay.store.activity import DurationCount, LiveCount, PromiseCount, ScoreCount, VolumeCount
    from assay.store.pages import Reading

WINDOWS = {
    "24h": (timedelta(minutes=30), 48),
    "1h": (timedelta(minutes=1), 60),
    "7d": (timedelta(hours=3), 56),
    "30d": (timedelta(hours=12), 60),
}
_SILENT = ("timed_out", "skipped", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What was queued in a bucket, by what became of it."""

    since: datetime
    until: datetime
    completed: int
    failed: int
    other: int

    @property
    def n(self) -> int:
        """All of them."""
        return self.completed + self.failed + self.other


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
        points, band: bucket means from 0 to 1 over the range that they and their intervals span.
        low, high: that range.
        pending, silent: promises without an answer yet, and those that came to none.
    """

    name: str
    n: int
    is_share: bool
    estimate: Estimate
    points: list[tuple[float, float]]
    band: list[tuple[float, float, float]]
    low: float
    high: float
    pending: int
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A window with all that is said of it.

    Attributes:
        is_cut: whether there were more runs than are looked at; then it is about the newest.
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
    is_cut: bool
    bars: list[Bar]
    functions: list[FunctionRow]
    scores: list[ScoreRow]
    live: list[LiveCount]

    def live_total(self, state: str) -> int:
        """How many runs are `queued`, `running` or `waiting`."""
        return sum(getattr(one, state) for one in self.live)


async def summary(ask: Ask, *, app: str | None = None, fn: str | None = None) -> Summary:
    """What happened in the window that the query names; of one function, where it is given."""
    word = ask.choice("window", tuple(WINDOWS))
    width, count = WINDOWS[word]
    window = activity.Window(
        since=ask.now - width * count, until=ask.now, width=width, app=app, fn=fn
    )

    async def read(reading: Reading) -> Summary:
        project = ask.project
        return _summary(
            word,
            window,
            volume=await activity.volume(reading, window, project=project),
            durations=await activity.durations(reading, window, project=project),
            scores=await activity.scores(reading, window, project=project),
            promises=await activity.promises(reading, window, project=project),
            live=[
                one
                for one in await activity.live(reading, project=project)
                if fn is None or (one.app, one.fn) == (app, fn)
            ],
        )

    return await ask.read(read)


def _summary(
    word: str,
    window: activity.Window,
    *,
    volume: list[VolumeCount],
    durations: list[DurationCount],
    scores: list[ScoreCount],
    promises: list[PromiseCount],
    live: list[LiveCount],
) -> Summary:
    count = WINDOWS[word][1]
    n = sum(one.n for one in volume)
    n_failed = sum(one.n for one in volume if one.status == "failed")
    n_ended = sum(one.n for one in volume if one.status != "live")
    over_all = next((one for one in durations if one.fn is None), None)
    return Summary(
        window=word,
        since=window.since,
        until=window.until,
        n=n,
        n_ended=n_ended,
        n_failed=n_failed,
        failed=proportion(n_failed, n_ended, unit="run"),
        median_s=over_all.median_s if over_all else None,
        p95_s=over_all.p95_s if over_all else None,
        is_cut=n >= activity.MOST_RUNS,
        bars=_bars(window, count, volume),
        functions=_functions(count, volume, durations, live),
        scores=_scores(count, scores, promises),
        live=live,
    )


def _bars(window: activity.Window, count: int, volume: list[VolumeCount]) -> list[Bar]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for one in volume:
        found[one.bucket][one.status] += one.n
    return [
        Bar(
            since=window.since + window.width * bucket,
            until=window.since + window.width * (bucket + 1),
            completed=found[bucket]["completed"],
            failed=found[bucket]["failed"],
            other=found[bucket].total() - found[bucket]["completed"] - found[bucket]["failed"],
        )
        for bucket in range(count)
    ]


def _functions(
    count: int,
    volume: list[VolumeCount],
    durations: list[DurationCount],
    live: list[LiveCount],
) -> list[FunctionRow]:
    by_function: dict[tuple[str, str], list[VolumeCount]] = defaultdict(list)
    for one in volume:
        by_function[one.app, one.fn].append(one)
    times = {(one.app, one.fn): one for one in durations}
    alive = {(one.app, one.fn): one for one in live}
    rows = []
    for (app, fn), found in by_function.items():
        n_failed = sum(one.n for one in found if one.status == "failed")
        n_ended = sum(one.n for one in found if one.status != "live")
        took = times.get((app, fn))
        rows.append(
            FunctionRow(
                app=app,
                fn=fn,
                n=sum(one.n for one in found),
                n_ended=n_ended,
                n_failed=n_failed,
                failed=proportion(n_failed, n_ended, unit="run"),
                median_s=took.median_s if took else None,
                p95_s=took.p95_s if took else None,
                live=alive.get((app, fn)),
                bars=_shares(count, found),
            )
        )
    return sorted(rows, key=lambda row: (-row.n, row.app, row.fn))


def _shares(count: int, found: Iterable[VolumeCount]) -> list[tuple[float, float]]:
    counts: Counter[int] = Counter()
    for one in found:
        counts[one.bucket] += one.n
    most = max(counts.values(), default=1)
    return [(bucket / (count - 1), counts[bucket] / most) for bucket in range(count)]


def _scores(count: int, found: list[ScoreCount], promises: list[PromiseCount]) -> list[ScoreRow]:
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for one in promises:
        states[one.name][one.state] += one.n
    whole = {one.name: one for one in found if one.bucket is None}
    rows = []
    for name in sorted(whole.keys() | states.keys()):
        over_all = whole.get(name)
        buckets = [one for one in found if one.name == name and one.bucket is not None]
        is_share = over_all is not None and over_all.n_bool == over_all.n
        points, band, low, high = _trend(count, buckets, is_share=is_share)
        rows.append(
            ScoreRow(
                name=name,
                n=over_all.n if over_all else 0,
                is_share=is_share,
                estimate=_estimate(over_all, is_share=is_share),
                points=points,
                band=band,
                low=low,
                high=high,
                pending=states[name]["pending"],
                silent=sum(states[name][state] for state in _SILENT),
            )
        )
    return rows


def _estimate(one: ScoreCount | None, *, is_share: bool) -> Estimate:
    if one is None:
        return proportion(0, 0, unit="run")
    if is_share:
        return proportion(one.n_true, one.n, unit="run")
    return mean(one.n, one.mean, one.sd, unit="run")


def _trend(
    count: int, buckets: list[ScoreCount], *, is_share: bool
) -> tuple[list[tuple[float, float]], list[tuple[float, float, float]], float, float]:
    """Points and band of a sparkline, with the range that they are drawn in."""
    estimates = [
        (one.bucket or 0, _estimate(one, is_share=is_share))
        for one in sorted(buckets, key=lambda one: one.bucket or 0)
    ]
    if not estimates:
        return [], [], 0.0, 1.0
    bounds = [(e.ci or (e.estimate or 0.0, e.estimate or 0.0)) for _, e in estimates]
    low, high = (
        (0.0, 1.0)
        if is_share
        else (min(bound[0] for bound in bounds), max(bound[1] for bound in bounds))
    )
    span = (high - low) or 1.0
    points = [(b / (count - 1), ((e.estimate or 0.0) - low) / span) for b, e in estimates]
    band = [
        (b / (count - 1), (bound[0] - low) / span, (bound[1] - low) / span)
        for (b, _), bound in zip(estimates, bounds, strict=True)
    ]
    return points, band, low, high
