"""What a project's recent runs came to: counts by function and time, durations, scores, promises.

All of it is about the newest `MOST_RUNS` runs of a window at most, so that it costs the same
whatever the project's size; how many there were says whether that left some out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at
from assay.store.pages import compose, fetch
from assay.store.queries import queries
from assay.store.runs import ID_MARGIN

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.pages import Reading
    from assay.store.turns import Row

_SQL = queries("activity")
MOST_RUNS = 10_000
RECENT = timedelta(days=7)
"""How far back names of events are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Runs from `since` to `until` in buckets of a width; of one function only, if it is given."""

    since: datetime
    until: datetime
    width: timedelta
    app: str | None = None
    fn: str | None = None

    def values(self, project: int) -> Row:
        """What the queries are bound to."""
        return {
            "project": project,
            "first": floor_at(self.since - ID_MARGIN),
            "last": floor_at(self.until + ID_MARGIN),
            "since": self.since,
            "until": self.until,
            "width_s": self.width.total_seconds(),
            "most": MOST_RUNS,
            "app": self.app,
            "fn": self.fn,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeCount:
    """Runs of a function in a bucket that are in a status, `live` for those that have not ended."""

    app: str
    fn: str
    bucket: int
    status: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationCount:
    """How long the ended runs of a function took in seconds; of all where it is None."""

    app: str | None
    fn: str | None
    n: int
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCount:
    """A score over runs, each counted once with its mean; over the whole window without a bucket.

    Attributes:
        sd: their standard deviation, 0 of a single one.
        n_bool: those where it is a boolean throughout; `n_true` of them are true.
    """

    name: str
    bucket: int | None
    n: int
    mean: float
    sd: float
    n_bool: int
    n_true: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseCount:
    """How many outcomes of a name are in a state."""

    name: str
    state: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCount:
    """A function's runs that have not ended."""

    app: str
    fn: str
    queued: int
    running: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """A name of events, and when the last of them was received."""

    name: str
    n: int
    last_at: datetime


async def volume(cursor: Reading, window: Window, *, project: int) -> list[VolumeCount]:
    """The runs of a window by function, bucket and status."""
    return [VolumeCount(**row) for row in await _recent(cursor, "volume", window, project)]


async def durations(cursor: Reading, window: Window, *, project: int) -> list[DurationCount]:
    """How long they took, by function and over all."""
    rows = await _recent(cursor, "durations", window, project)
    return [
        DurationCount(
            app=row["app"],
            fn=row["fn"],
            n=row["n"],
            median_s=float(row["quantiles_s"][0]),
            p95_s=float(row["quantiles_s"][1]),
        )
        for row in rows
        if row["n"]
    ]


async def scores(cursor: Reading, window: Window, *, project: int) -> list[ScoreCount]:
    """Their scores by name and bucket, and by name over the window."""
    return [ScoreCount(**row) for row in await _recent(cursor, "scores", window, project)]


async def promises(cursor: Reading, window: Window, *, project: int) -> list[PromiseCount]:
    """What became of the scores that they promised."""
    return [PromiseCount(**row) for row in await _recent(cursor, "promises", window, project)]


async def live(cursor: Reading, *, project: int) -> list[LiveCount]:
    """The runs that have not ended, by function, whenever they began."""
    return [LiveCount(**row) for row in await fetch(cursor, _SQL["live"], {"project": project})]


async def events(cursor: Reading, *, project: int, since: datetime) -> list[EventCount]:
    """The names of recent events, the most frequent first; `MOST_RUNS` events are looked at."""
    values = {"project": project, "first": floor_at(since), "most": MOST_RUNS}
    return [EventCount(**row) for row in await fetch(cursor, _SQL["events"], values)]


async def _recent(cursor: Reading, part: str, window: Window, project: int) -> list[Row]:
    return await fetch(cursor, compose((_SQL["recent"], _SQL[part])), window.values(project))
