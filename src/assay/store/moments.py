"""The moments of an experiment, formed by the database."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from assay.model.moments import ArmMoments, Counts, Moments, Ratio, Silence
from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assay.store.pages import Reading

_SQL = queries("moments")


async def moments(
    cursor: Reading,
    *,
    project: int,
    experiment: str,
    metric: str,
    cutoff: datetime,
    maturity: timedelta,
    since: datetime,
    sticky: bool,
    stray: bool = True,
) -> Moments:
    """What the runs exposed before a cutoff say of a metric.

    *maturity* is how long a run's answer is waited for. Units first exposed before *since* belong
    to an earlier plan and don't count. Where choices are *sticky*, all runs of a unit count,
    whatever the epoch. What no estimate needs (scores outside their window, exposures left out) is
    counted only if *stray*.
    """
    values = {
        "project": project,
        "experiment": experiment,
        "metric": metric,
        "cutoff": cutoff,
        "mature": cutoff - maturity,
        "maturity": maturity,
        "since": since,
        "sticky": sticky,
    }
    rows = await fetch(cursor, _SQL["arms"], values)
    strays, left_out = {}, {"forced": 0, "without_unit": 0}
    if stray:
        for row in await fetch(cursor, _SQL["strays"], values):
            strays[row["epoch"], row["variant"]] = row
        (left_out,) = await fetch(cursor, _SQL["left_out"], values)
    return Moments(
        arms=[_arm(row, strays.get((row["epoch"], row["variant"]), {})) for row in rows],
        forced=left_out["forced"],
        without_unit=left_out["without_unit"],
    )


def _arm(row: dict[str, Any], strays: dict[str, Any]) -> ArmMoments:
    scored, mature = row["units_scored"], row["units_mature"]
    # Each mean weighs 1, so that its leverage is 1 / n.
    spread = row["mean_squares"] / (1 - 1 / scored) if scored > 1 else math.inf
    return ArmMoments(
        epoch=row["epoch"],
        variant=row["variant"],
        counts=Counts(
            exposed=row["exposed"],
            mature=int(row["m"]),
            scored=int(row["n"]),
            failed=int(row["f"]),
            late=strays.get("late", 0),
            early=strays.get("early", 0),
            backdated=row["backdated"],
            after_epoch=row["after_epoch"],
            moved=row["moved"],
            units=row["units"],
            units_mature=mature,
            units_scored=scored,
        ),
        by_run=_ratio(scored, row["n"], row["y"], row["n_squares"], row["ee"]),
        by_unit=_ratio(scored, scored, scored * (row["mean"] or 0), scored, spread),
        coverage=_ratio(mature, row["m"], row["n"] + row["f"], row["m_squares"], row["cc"]),
        failures=_ratio(mature, row["m"], row["f"], row["m_squares"], row["dd"]),
        joint=row["ed"],
        silence=Silence(bb=row["bb"], bd=row["bd"], bc=row["bc"], dc=row["dc"]),
    )


def _ratio(units: int, n: float, y: float, n_squares: float, e_squares: float) -> Ratio:
    return Ratio(
        units=units,
        n=n,
        y=y,
        n_squares=n_squares,
        e_squares=e_squares if units > 1 else math.inf,
    )
