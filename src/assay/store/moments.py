"""The moments of an experiment, formed by the database."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assay.model.moments import (
    RUN_DURATION,
    RUN_FAILURE,
    RUN_TOKENS,
    ArmMoments,
    Counts,
    Moments,
    Ratio,
    Shared,
    Silence,
    UnitMoments,
)
from assay.store.pages import compose, fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.model.moments import Counting
    from assay.model.results import Counted
    from assay.store.experiments import UnitFilter
    from assay.store.pages import Reading

_SQL = queries("moments")
PRODUCTS = ("ee", "ed", "de", "dd", "cc", "uu", "bb", "bd", "db", "bc", "cb", "dc", "cd")
_NARROWED = ("exposures x", "experiment_scores s", "run_usage r")
"""Not `exposures y`, the other uses of a run: those are looked up one by one."""
BY_UNIT = ("of_all", "sums", "apart", "errors", "arms", "of_errors")
BY_RUN = (
    "of_all", "sums", "together", "errors", "shared", "arms", "arms_shared", "of_errors",
)  # fmt: skip
_SETTINGS = ("work_mem", "jit", "parallel", "merge", "nested", "planned")


async def moments(
    cursor: Reading, counting: Counting, *, metrics: Sequence[str], left_out: bool = True
) -> dict[str, Moments]:
    """What the runs exposed before a cutoff say of metrics, by metric.

    What no estimate needs (exposures left out) is counted only if *left_out*.
    """
    values = _values(counting, metrics)
    rest = {"forced": 0, "without_unit": 0, "after_cutoff": 0}
    if left_out:
        # Before the settings: this one is faster with workers.
        (rest,) = await fetch(cursor, _SQL["left_out"], values)
    for setting in _SETTINGS:
        await cursor.execute(_SQL[setting])
    (kind,) = await fetch(cursor, _SQL["is_by_run"], values)
    statement = BY_RUN if kind["is_by_run"] else BY_UNIT
    rows = await fetch(cursor, compose(_SQL[part] for part in statement), values)
    ordered = sorted(rows, key=lambda row: (row["epoch"], row["variant"]))
    return {
        metric: _moments(metric, [row for row in ordered if row["metric"] == metric], rest)
        for metric in metrics
    }


async def of_units(
    cursor: Reading, counting: Counting, *, metric: str, units: Sequence[str]
) -> dict[str, UnitMoments]:
    """What some units add to the moments of a metric, by unit; missing where they don't count."""
    return await _by_unit(
        cursor, statement_of_units(), {**_values(counting, [metric]), "units": list(units)}
    )


async def units_having(
    cursor: Reading,
    counting: Counting,
    having: Counted,
    *,
    metric: str,
    filter_: UnitFilter,
    after: str,
    limit: int,
) -> dict[str, UnitMoments]:
    """The first units by name with runs that are counted as what is asked for, and what they add.

    All units of the experiment are summed for it.

    Args:
        cursor: of the project.
        counting: which runs count.
        having: as what runs are counted.
        metric: of which scores count.
        filter_: only units that fit.
        after: only units of a greater name.
        limit: most units.
    """
    values = _values(counting, [metric])
    values |= asdict(filter_) | {"having": having, "after": after, "limit": limit}
    statement = compose(_SQL[part] for part in ("of_all", "sums", "by_unit", "counted"))
    return await _by_unit(cursor, statement, values)


def statement_of_units() -> str:
    """The sums by unit: by the same words as all, of some rows in place of the tables."""
    sums = _SQL["sums"]
    for table in _NARROWED:
        sums = sums.replace(f"assay.{table}", table)
    return compose((_SQL["of_units"], sums, _SQL["by_unit"], _SQL["among"]))


async def _by_unit(
    cursor: Reading, statement: str, values: Mapping[str, object]
) -> dict[str, UnitMoments]:
    for setting in _SETTINGS:
        await cursor.execute(_SQL[setting])
    return {row["unit"]: _unit(row) for row in await fetch(cursor, statement, values)}


def _values(counting: Counting, metrics: Sequence[str]) -> dict[str, object]:
    return {
        "project": counting.project,
        "experiment": counting.experiment,
        "metrics": list(metrics),
        "failure": RUN_FAILURE,
        "duration": RUN_DURATION,
        "tokens": RUN_TOKENS,
        "cutoff": counting.cutoff,
        "mature": counting.cutoff - counting.maturity,
        # In seconds: days would be added by the calendar, which is dear.
        "maturity": f"{counting.maturity.total_seconds()} seconds",
        "since": counting.since,
        "sticky": counting.sticky,
    }


def _moments(metric: str, rows: Sequence[dict[str, Any]], rest: Mapping[str, int]) -> Moments:
    known = [row["is_binary"] for row in rows if row["is_binary"] is not None]
    return Moments(
        arms=[_arm(row) for row in rows],
        shared=[_shared(one) for row in rows for one in row.get("shared") or ()],
        first_at=min((row["first_at"] for row in rows), default=None),
        forced=rest["forced"],
        without_unit=rest["without_unit"],
        after_cutoff=rest["after_cutoff"],
        # Amounts are none, even where all are 0 or 1.
        is_binary=metric not in {RUN_DURATION, RUN_TOKENS} and bool(known) and all(known),
    )


def _arm(row: dict[str, Any]) -> ArmMoments:
    # What varies on its own: units, or the sessions that those belong to.
    scored, mature = row["scored"], row["mature"]
    # Each mean weighs 1, so that its leverage is 1 / n.
    spread = row["mean_squares"] / (1 - 1 / scored) if scored > 1 else math.inf
    return ArmMoments(
        epoch=row["epoch"],
        variant=row["variant"],
        counts=_counts(
            row,
            units=row["units"],
            units_mature=row["units_mature"],
            units_scored=row["units_scored"],
        ),
        by_run=_ratio(scored, row["n"], row["y"], row["n_squares"], row["ee"]),
        by_unit=_ratio(scored, scored, scored * (row["mean"] or 0), scored, spread),
        coverage=_ratio(mature, row["m"], row["n"] + row["f"], row["m_squares"], row["cc"]),
        failures=_ratio(mature, row["m"], row["f"], row["m_squares"], row["dd"]),
        joint=row["ed"],
        silence=Silence(bb=row["bb"], bd=row["bd"], bc=row["bc"], dc=row["dc"]),
    )


def _unit(row: Mapping[str, Any]) -> UnitMoments:
    n = row["n"]
    return UnitMoments(
        counts=_counts(row, units=1, units_mature=int(row["m"] > 0), units_scored=int(n > 0)),
        mean=row["y"] / n if n else None,
    )


def _counts(row: Mapping[str, Any], *, units: int, units_mature: int, units_scored: int) -> Counts:
    return Counts(
        exposed=row["exposed"],
        mature=int(row["m"]),
        scored=int(row["n"]),
        failed=int(row["f"]),
        late=row["late"],
        early=row["early"],
        backdated=row["backdated"],
        after_epoch=row["after_epoch"],
        moved=row["moved"],
        crossed=row["crossed"],
        units=units,
        units_mature=units_mature,
        units_scored=units_scored,
    )


def _shared(row: Mapping[str, Any]) -> Shared:
    named = {name: row[name] for name in ("epoch", "variant", "other", "scored", "mature")}
    return Shared(**named, products={name: float(row[name]) for name in PRODUCTS})


def _ratio(units: int, n: float, y: float, n_squares: float, e_squares: float) -> Ratio:
    return Ratio(
        units=units,
        n=n,
        y=y,
        n_squares=n_squares,
        e_squares=e_squares if units > 1 else math.inf,
    )
