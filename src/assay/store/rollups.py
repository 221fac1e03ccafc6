"""Runs and scores counted by the hour: read at any time exactly as a count over their rows is.

Hours that are done are read from their counts, those that are not (the last two or three, and those
in which something changed later) from the rows. See `rolling` for how counts come about.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.ids import floor_at, minted_at
from assay.store.pages import compose, fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from assay.store.pages import Reading
    from assay.store.turns import Row

_SQL = queries("rollups")
HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCount:
    """Runs of one function in one state that took about equally long.

    Attributes:
        at: the start of the hours that are counted: of those in the runs' ids.
        status: completed, failed, cancelled, or live.
        bucket: of their durations (`stats.durations`); 0 for live ones.
        total_us: the sum of their durations, in microseconds.
    """

    at: datetime
    app: str
    fn: str
    kind: str
    status: str
    bucket: int
    n: int
    total_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCount:
    """The latest scores of one name about runs of one function and their steps.

    Attributes:
        at: the start of the hours that are counted: of those in the ids of the runs.
        n: scores. `n_bool`: those that are booleans, `n_true`: those that are true.
        total, squares: sums of values, booleans as 1 and 0, and of their squares.
        runs: with at least one of these scores. `runs_bool`: with booleans only.
        means, mean_squares: sums over runs of the mean m of the run's values, and of m².
        total_squares, total_counts, count_squares: sums over runs of t², tk and k², where t is the
            total of a run's k values: what the variance of `total / n` takes, runs being clusters.
    """

    at: datetime
    app: str
    fn: str
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


async def runs(
    cursor: Reading,
    *,
    project: int,
    since: datetime,
    until: datetime,
    per: int = 1,
    function: str | None = None,
) -> list[RunCount]:
    """Runs by so many hours, function and state.

    Args:
        cursor: of a reader of the project.
        project: whose runs they are.
        since: the hour that this instant lies in is the first.
        until: the hour that begins then or before is the last, without that which begins at it.
        per: hours that are counted together, from midnight (UTC) on where it divides 24.
        function: only runs of this one.
    """
    values = await _span(cursor, project, since, until)
    query = _counting("counted_runs", "runs")
    rows = await fetch(cursor, query, values | {"per": per, "function": function})
    return [RunCount(**_named(row, RunCount)) for row in rows]


async def scores(
    cursor: Reading,
    *,
    project: int,
    since: datetime,
    until: datetime,
    per: int = 1,
    function: str | None = None,
    name: str | None = None,
) -> list[ScoreCount]:
    """The latest scores of runs by so many hours of the runs, function and name."""
    values = await _span(cursor, project, since, until)
    query = _counting("counted_scores", "scores")
    values |= {"per": per, "function": function, "name": name}
    rows = await fetch(cursor, query, values)
    return [ScoreCount(**_named(row, ScoreCount)) for row in rows]


def hour_of(at: datetime) -> int:
    """The hours from 1970 to the one that an instant lies in."""
    return (at - _EPOCH) // HOUR


def start_of(hour: int) -> datetime:
    """When it begins."""
    return _EPOCH + hour * HOUR


def _counting(counted: str, summed: str) -> str:
    return compose((_SQL["live_hours"], ", counted AS (", _SQL[counted], ")", _SQL[summed]))


async def _span(
    cursor: Reading, project: int, since: datetime, until: datetime
) -> dict[str, object]:
    """The hours that are asked for, without those before the first run."""
    values: dict[str, object] = {"project": project, "first": floor_at(since - HOUR)}
    found = await fetch(cursor, _SQL["first_run"], values)
    last = hour_of(until - timedelta(microseconds=1)) + 1
    first = hour_of(minted_at(found[0]["id"])) if found else last
    return values | {"from": max(hour_of(since), first), "to": last}


def _named(row: Row, kind: type[RunCount | ScoreCount]) -> Row:
    """A row with the instant of its hour."""
    named = {field.name: row[field.name] for field in fields(kind) if field.name != "at"}
    return {"at": start_of(row["hour"]), **named}
