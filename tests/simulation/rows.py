"""Simulated experiments as rows of the real tables: written by COPY, many in one statement."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg

from simulation.design import FAILS_AFTER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.model.experiments import Plan
    from simulation.design import Design, Drawn

PROJECT = 1
BEGUN = datetime(2026, 3, 2, tzinfo=UTC)
PRIMARY, SECOND = "helpful", "polite"
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COLUMNS = (
    "experiment",
    "run",
    "unit",
    "session",
    "variant",
    "epoch",
    "at",
    "value",
    "scored",
    "failed",
)
_INSTANT = "%(begun)s::timestamptz + {} * interval '1 day'"
_RUN = "('00000000-0000-4000-8000-' || lpad(to_hex(d.run::bigint), 12, '0'))::uuid"
_EXPERIMENT = "'e' || d.experiment::int"
_VARIANT = "(%(variants)s::text[])[d.variant::int + 1]"
_UNIT = "'u' || d.unit::bigint"
_DRAWN = f"CREATE TEMP TABLE drawn ({', '.join(f'{name} float8' for name in _COLUMNS)})"
_DECLARED = """
WITH names AS (SELECT 'e' || n AS name FROM generate_series(0, %(experiments)s - 1) n)
, begun AS (
    INSERT INTO assay.experiments (project_id, name, first_seen)
    SELECT %(project)s, n.name, %(begun)s FROM names n
), planned AS (
    INSERT INTO assay.experiment_plans (project_id, experiment, version, spec, declared_at)
    SELECT %(project)s, n.name, 1, %(spec)s, %(begun)s FROM names n
)
INSERT INTO assay.experiment_epochs (project_id, experiment, epoch, fingerprint, strategy,
    variants, weights, salt, unit_kind, sticky, app, opened_at)
SELECT %(project)s, n.name, e.epoch, e.epoch::text, %(strategy)s, %(variants)s, e.weights, '',
    %(unit_kind)s, false, 'tests', e.opened_at
FROM names n, unnest(%(epochs)s::int[], %(weights)s::jsonb[], %(opened)s::timestamptz[])
    AS e(epoch, weights, opened_at)
"""
_EXPOSURES = f"""
INSERT INTO assay.exposures (project_id, experiment, run_id, idx, variant, unit, cluster, p,
    epoch, forced, at, failed_at)
SELECT %(project)s, {_EXPERIMENT}, {_RUN}, 0, {_VARIANT}, {_UNIT}, 's' || d.session::bigint,
    NULL, d.epoch, false, {_INSTANT.format("d.at")},
    CASE WHEN d.failed < 'Infinity' THEN {_INSTANT.format("d.failed")} END
FROM drawn d
"""
_SCORES = f"""
INSERT INTO assay.experiment_scores (project_id, experiment, metric, run_id, idx, score_id, variant,
    epoch, unit, exposed_at, value, at, recorded_at, is_first)
SELECT %(project)s, {_EXPERIMENT}, %(metric)s, {_RUN}, 0, {_RUN}, {_VARIANT}, d.epoch, {_UNIT},
    {_INSTANT.format("d.at")}, d.value, {_INSTANT.format("d.scored")},
    {_INSTANT.format("d.scored")}, true
FROM drawn d WHERE d.scored < 'Infinity'
"""


def instant(days: float) -> datetime:
    """So many days after the start."""
    return BEGUN + timedelta(days=days)


def write(url: str, design: Design, plan: Plan, drawn: Drawn) -> list[str]:
    """Write experiments with their plan, exposures and scores; gives their names."""
    values = _values(design, plan, drawn)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_DECLARED, values)
        cursor.execute(_DRAWN)
        _copy(cursor, drawn, drawn.value)
        cursor.execute(_EXPOSURES, values)
        cursor.execute(_SCORES, values)
        if drawn.second is not None:
            cursor.execute("TRUNCATE drawn")
            _copy(cursor, drawn, drawn.second)
            cursor.execute(_SCORES, values | {"metric": SECOND})
        cursor.execute("ANALYZE assay.exposures, assay.experiment_scores")
    return [f"e{number}" for number in range(drawn.experiments)]


def _values(design: Design, plan: Plan, drawn: Drawn) -> dict[str, Any]:
    ways = [(design.weights, 0.0)]
    if design.new_weights is not None:
        ways.append((design.new_weights, design.changed))
    return {
        "project": PROJECT,
        "begun": BEGUN,
        "experiments": drawn.experiments,
        "spec": json.dumps(plan.spec),
        "variants": design.variants,
        "strategy": "weighted" if design.per_run else "bucket",
        "unit_kind": "run" if design.per_run else "bucket",
        "epochs": list(range(1, len(ways) + 1)),
        "weights": [
            json.dumps(dict(zip(design.variants, weights, strict=True))) for weights, _ in ways
        ],
        "opened": [instant(day) for _, day in ways],
        "metric": PRIMARY,
    }


def _copy(cursor: psycopg.Cursor[Any], drawn: Drawn, value: NDArray[np.float64]) -> None:
    runs = len(drawn.at)
    columns = [
        drawn.experiment,
        np.arange(runs),
        drawn.unit,
        drawn.session,
        drawn.variant,
        drawn.epoch,
        drawn.at,
        value,
        drawn.answered_at,
        np.where(drawn.failed, drawn.at + FAILS_AFTER, np.inf),
    ]
    # PostgreSQL's binary form: the number of fields, then each with its length, all big-endian.
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in _COLUMNS:
        fields += [(f"{name} length", ">i4"), (name, ">f8")]
    table = np.empty(runs, dtype=np.dtype(fields))
    table["fields"] = len(_COLUMNS)
    for name, column in zip(_COLUMNS, columns, strict=True):
        table[f"{name} length"] = 8
        table[name] = column
    with cursor.copy("COPY drawn FROM STDIN (FORMAT binary)") as copy:
        copy.write(_HEADER + table.tobytes() + b"\xff\xff")
