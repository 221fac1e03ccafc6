"""Runs, scores, outcomes and exposures by the hour: read at any time exactly as rows are counted.

Hours that are done are read from their counts, those that are not (the last two or three, those in
which something changed later, and those that a range of time begins or ends in) from the rows. See
`rolling` for how counts come about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at, minted_at
from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from assay.store.pages import Reading
    from assay.store.turns import Row

_SQL = queries("rollups")
HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCount:
    """Runs of one function in one state.

    Attributes:
        at: the start of the time that is counted together: of that in the runs' ids.
        status: completed, failed, cancelled, or live.
        total_us: the sum of their durations, in microseconds.
    """

    at: datetime
    app: str
    fn: str
    kind: str
    status: str
    n: int
    total_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationCount:
    """Runs of one function that took about equally long; `bucket` as in `stats.durations`."""

    app: str
    fn: str
    bucket: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCount:
    """The latest scores of one name about runs and their steps.

    Attributes:
        at: the start of the time that is counted together: of that in the ids of the runs.
        app, fn: of the runs; None where all functions are counted together.
        n: scores. `n_bool`: those that are booleans, `n_true`: those that are true.
        total, squares: sums of values, booleans as 1 and 0, and of their squares; here and below
            a value beyond 1e140 counts as that, so that no square overflows.
        runs: with at least one of these scores. `runs_bool`: with booleans only.
        means, mean_squares: sums over runs of the mean m of the run's values, and of m².
        total_squares, total_counts, count_squares: sums over runs of t², tk and k², where t is the
            total of a run's k values: what the variance of `total / n` takes, runs being clusters.
    """

    at: datetime
    app: str | None
    fn: str | None
    name: str
    n: int
    n_bool: int
    n_true: int
    total: float
    squares: float
    least: float
    greatest: float
    runs: int
    runs_bool: int
    means: float
    mean_squares: float
    total_squares: float
    total_counts: float
    count_squares: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCount:
    """What runs of one function promised under one name, by the state that it is in."""

    app: str
    fn: str
    scorer: str
    name: str
    state: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureCount:
    """How often a variant of an experiment was served to a unit, forced choices left out.

    Attributes:
        at: the start of the time that is counted together: of that in the ids of the runs.
    """

    at: datetime
    epoch: int
    variant: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCount:
    """A session key, how many ids it has and how many runs they group."""

    key: str
    run_count: int
    session_count: int
    last_active_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Which runs are counted: those whose ids were minted from `since` on, before `until`.

    Attributes:
        app, function: only runs of these, where they are given.
    """

    project: int
    since: datetime
    until: datetime
    app: str | None = None
    function: str | None = None


async def runs(cursor: Reading, counted: Counted, *, per: timedelta = HOUR) -> list[RunCount]:
    """Runs by time, function and state.

    Args:
        cursor: of a reader of the project.
        counted: which runs.
        per: what is counted together: whole hours, from midnight (UTC) on where they divide a day;
            or less than an hour, which is all read from rows.
    """
    return [RunCount(**row) for row in await _by_time(cursor, "runs", counted, per)]


async def scores(
    cursor: Reading,
    counted: Counted,
    *,
    per: timedelta = HOUR,
    names: Sequence[str] | None = None,
    by_function: bool = False,
) -> list[ScoreCount]:
    """The latest scores of runs by time and name; of these names, where they are given."""
    also = {"names": names, "by_function": by_function}
    return [ScoreCount(**row) for row in await _by_time(cursor, "scores", counted, per, also)]


async def durations(cursor: Reading, counted: Counted) -> list[DurationCount]:
    """How long the runs that have ended took, by function."""
    rows = await _fetch(cursor, "durations", await _hours(cursor, counted))
    return [DurationCount(**row) for row in rows]


async def outcomes(
    cursor: Reading, counted: Counted, *, names: Sequence[str] | None = None
) -> list[OutcomeCount]:
    """What the runs promised, by function, scorer, name and state."""
    rows = await _fetch(cursor, "outcomes", await _hours(cursor, counted) | {"names": names})
    return [OutcomeCount(**row) for row in rows]


async def exposures(
    cursor: Reading, counted: Counted, *, experiment: str, per: timedelta = HOUR
) -> list[ExposureCount]:
    """What runs of all functions were served of an experiment, by time, epoch and variant."""
    rows = await _by_time(cursor, "exposures", counted, per, {"experiment": experiment})
    return [ExposureCount(**row) for row in rows]


async def began(cursor: Reading, counted: Counted) -> datetime | None:
    """When the first run of the project's from `since` on was minted, whichever its function."""
    found = await _first_run(cursor, counted)
    return None if found is None else minted_at(found)


def hour_of(at: datetime) -> int:
    """The hours from 1970 to the one that an instant lies in."""
    return (at - _EPOCH) // HOUR


def start_of(hour: int) -> datetime:
    """When it begins."""
    return _EPOCH + hour * HOUR


async def session_keys(
    cursor: Reading, *, project: int, limit: int, after: str | None = None
) -> Page[KeyCount]:
    """A page of the session keys that runs have ever carried, in their order."""
    ends = (await fetch(cursor, _SQL["last_run"], {"project": project}))[0]["id"]
    if ends is None:
        return Page([], None)
    until = start_of(hour_of(minted_at(ends)) + 1)
    (last,) = ("",) if after is None else decode("session-keys", after, (str,))
    values = await _hours(cursor, Counted(project=project, since=_EPOCH, until=until))
    rows = await _fetch(cursor, "sessions", values | {"after": last, "limit": limit + 1})
    return page_of("session-keys", [KeyCount(**row) for row in rows], limit, lambda one: (one.key,))


async def _by_time(
    cursor: Reading,
    kind: str,
    counted: Counted,
    per: timedelta,
    also: Mapping[str, object] | None = None,
) -> list[Row]:
    """Rows with the instant of the time that they are of."""
    values = await _hours(cursor, counted)
    width, live = HOUR, "live_hours"
    if per < HOUR:
        width, live = per, "live_slots"
        since = max(counted.since, start_of(int(values["from"])))
        values["from"] = (since - _EPOCH) // width
        values["to"] = -((_EPOCH - counted.until) // width)
        values["width_s"] = width.total_seconds()
    values |= {"per": max(1, per // HOUR)} | dict(also or {})
    rows = await _fetch(cursor, kind, values, live=live)
    return [{"at": _EPOCH + row.pop("hour") * width} | row for row in rows]


async def _fetch(cursor: Reading, kind: str, values: Row, *, live: str = "live_hours") -> list[Row]:
    parts = (_SQL[live], ", counted AS (", _SQL[f"counted_{kind}"], ")", _SQL[kind])
    return await fetch(cursor, compose(parts), values)


async def _first_run(cursor: Reading, counted: Counted) -> UUID | None:
    values = {"project": counted.project, "first": floor_at(counted.since)}
    found = await fetch(cursor, _SQL["first_run"], values)
    return found[0]["id"] if found else None


async def _hours(cursor: Reading, counted: Counted) -> Row:
    """The hours that are asked for, without those before the first run; of some only a part."""
    since, until = counted.since, counted.until
    values: Row = {
        "project": counted.project,
        "app": counted.app,
        "function": counted.function,
        "first": floor_at(since),
        "next": floor_at(until),
    }
    began = await _first_run(cursor, counted)
    last = hour_of(until - timedelta(microseconds=1)) + 1
    first = last if began is None else max(hour_of(since), hour_of(minted_at(began)))
    parts = {hour_of(at) for at in (since, until) if at != start_of(hour_of(at))}
    edges = [hour for hour in parts if first <= hour < last]
    return values | {"from": first, "to": last, "edges": edges}
