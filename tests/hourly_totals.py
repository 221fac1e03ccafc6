"""Hourly counts as they follow from rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from assay.ids import minted_at
from assay.store import rollups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

C = TypeVar(
    "C",
    rollups.RunCount,
    rollups.DurationCount,
    rollups.OutcomeCount,
    rollups.ExposureCount,
)


def amounts(counts: Iterable[C], key: Callable[[C], object]) -> Counter[object]:
    """How many there are by a key."""
    found: Counter[object] = Counter()
    for one in counts:
        found[key(one)] += one.n
    return found


def hour(id_: UUID) -> datetime:
    """The hour in an id."""
    return minted_at(id_).replace(minute=0, second=0, microsecond=0)


def totals_of(one: rollups.ScoreCount) -> tuple[float, ...]:
    """All sums of a count of scores."""
    return (
        *(one.n, one.n_bool, one.n_true, one.total, one.squares, one.least, one.greatest),
        *(one.runs, one.runs_bool, one.means, one.mean_squares),
        *(one.total_squares, one.total_counts, one.count_squares),
    )


def totals(
    runs: Sequence[Any], scores: Sequence[Any]
) -> dict[tuple[object, ...], tuple[float, ...]]:
    """The same from rows."""
    fn = {run["id"]: run["fn"] for run in runs}
    groups: dict[tuple[object, ...], dict[UUID, list[Any]]] = {}
    for row in scores:
        key: tuple[object, ...] = (hour(row["run_id"]), fn[row["run_id"]], row["name"])
        groups.setdefault(key, {}).setdefault(row["run_id"], []).append(row)
    result: dict[tuple[object, ...], tuple[float, ...]] = {}
    for key, by_run in groups.items():
        rows = [row for each in by_run.values() for row in each]
        values = [row["value"] for row in rows]
        sums = [(sum(row["value"] for row in each), len(each)) for each in by_run.values()]
        result[key] = (
            *(len(rows), sum(row["is_bool"] for row in rows)),
            *(sum(row["is_bool"] and row["value"] != 0 for row in rows), sum(values)),
            *(sum(value**2 for value in values), min(values), max(values), len(by_run)),
            sum(all(row["is_bool"] for row in each) for each in by_run.values()),
            *(sum(t / k for t, k in sums), sum((t / k) ** 2 for t, k in sums)),
            *(sum(t**2 for t, _ in sums), sum(t * k for t, k in sums)),
            sum(k**2 for _, k in sums),
        )
    return result
