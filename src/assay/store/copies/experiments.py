"""Statements of experiments: the list, one with its units counted, and the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from assay.store.copies.writing import clause, given, statement

if TYPE_CHECKING:
    from datetime import datetime

    from assay.store.experiments import UnitFilter

_EXPERIMENTS = "insights.experiments"
_COLUMNS = """id, epoch, strategy, variants, plan_version,
  first_seen, stopped_at, decision"""
_FIRST = """unit,
  (array_agg(variant ORDER BY at, run_uuid, index))[1] AS variant,
  (array_agg(epoch ORDER BY at, run_uuid, index))[1] AS epoch,
  min(at) AS first_at, count(DISTINCT run_uuid) AS run_count"""
_VARIANT = "(array_agg(variant ORDER BY at, run_uuid, index))[1] = {}"
_EPOCH = "(array_agg(epoch ORDER BY at, run_uuid, index))[1] = {}"
_UNITS = """(
    SELECT unit,
      (array_agg(variant ORDER BY at, run_uuid, index))[1] AS variant
    FROM insights.exposures
    WHERE {where}
    GROUP BY unit) AS units"""


def all_of(project: int) -> str:
    """The experiments by name."""
    return statement(
        _COLUMNS,
        _EXPERIMENTS,
        where=[clause("project_id = {}", project)],
        order="id",
    )


def one(project: int, experiment: str, cutoff: datetime) -> str:
    """An experiment; the units by the variant that they were served first, before a cutoff."""
    served = [
        clause("project_id = {}", project),
        clause("experiment = {}", experiment),
        clause("NOT forced AND unit IS NOT NULL"),
        clause("at < {}", cutoff),
    ]
    units = sql.SQL(_UNITS).format(where=sql.SQL("\n      AND ").join(served))
    return "\n\n".join(
        (
            statement(
                "*",
                _EXPERIMENTS,
                where=[clause("project_id = {}", project), clause("id = {}", experiment)],
                order="id",
                limit=None,
                about="the experiment",
            ),
            statement(
                "variant, count(*) AS units",
                units,
                where=(),
                group="variant",
                order="variant",
                about="its units, by the variant that they were served first",
            ),
        )
    )


def units(
    project: int, experiment: str, filter_: UnitFilter, *, before: datetime | None = None
) -> str:
    """The units by name that fit."""
    where = [
        clause("project_id = {}", project),
        clause("experiment = {}", experiment),
        clause("NOT forced AND unit > ''"),
        *given("at < {}", before),
    ]
    return statement(
        _FIRST,
        "insights.exposures",
        where=where,
        group="unit",
        having=[*given(_VARIANT, filter_.variant), *given(_EPOCH, filter_.epoch)],
        order="unit",
    )
