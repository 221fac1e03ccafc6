"""An experiment's raw rows, written into the real tables."""

from __future__ import annotations

import json
import lzma
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from assay import ExperimentRef, ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = dict[str, Any]

DATA = Path(__file__).parent / "data"
PROJECT = 1
EXPOSURE = (
    "INSERT INTO assay.exposures (project_id, experiment, run_id, idx, variant, unit, cluster, p,"
    " epoch, forced, at, failed_at) VALUES (%s, %s, %s, %s, %s, %s, NULL, %s, %s, %s, %s, %s)"
)
SCORE = (
    "INSERT INTO assay.experiment_scores (project_id, experiment, metric, run_id, idx, score_id,"
    " variant, epoch, unit, exposed_at, value, at, recorded_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
TAKE_OVER = "SELECT assay.take_over_scores(%s, %s::text[], %s::uuid[], %s::int[])"
EPOCH = (
    "INSERT INTO assay.experiment_epochs (project_id, experiment, epoch, fingerprint, strategy,"
    " variants, weights, salt, unit_kind, sticky, app, opened_at)"
    " VALUES (%s, %s, %s, %s, 'bucket', %s, %s, %s, 'bucket', %s, 'tests', %s)"
)


def published() -> Row:
    """The published case: raw rows in, every number out."""
    case: Row = json.loads(lzma.decompress((DATA / "experiment_case.json.xz").read_bytes()))
    return case


def instant(text: str) -> datetime:
    """A time as the case writes it."""
    return datetime.fromisoformat(text)


def write(
    connection: psycopg.Connection[tuple[Any, ...]], case: Row, *, scores: Sequence[Row] | None
) -> None:
    """Write a case's exposures and epochs, and its scores in the order given."""
    name = case["name"]
    with connection.cursor() as cursor:
        for epoch in case["epochs"]:
            values = (
                PROJECT,
                name,
                epoch["epoch"],
                str(epoch["epoch"]),
                list(epoch["weights"]),
                json.dumps(epoch["weights"]),
                case["assignment"]["salt"],
                case["sticky"],
                instant(epoch["from"]),
            )
            cursor.execute(EPOCH, values)
        cursor.executemany(EXPOSURE, [_exposure(case, one) for one in case["exposures"]])
        served = {(one["run"], one["index"]): one for one in case["exposures"]}
        cursor.executemany(
            SCORE,
            [
                _score(name, one, served[one["run"], one["index"]])
                for one in (case["scores"] if scores is None else scores)
            ],
        )


def exposure(connection: psycopg.Connection[Any], case: Row, one: Row) -> None:
    """Write one of a case's exposures."""
    connection.execute(EXPOSURE, _exposure(case, one))


def _exposure(case: Row, one: Row) -> tuple[object, ...]:
    (run,) = [run for run in case["runs"] if run["run"] == one["run"]]
    return (
        PROJECT,
        case["name"],
        ids.parse(one["run"]),
        one["index"],
        one["variant"],
        one["unit"],
        one["p"],
        one["epoch"],
        one["forced"],
        instant(one["at"]),
        instant(run["finished_at"]) if run["status"] == "failed" else None,
    )


def _score(name: str, score: Row, exposure: Row) -> tuple[object, ...]:
    return (
        PROJECT,
        name,
        score["name"],
        ids.parse(score["run"]),
        score["index"],
        ids.parse(score["id"]),
        exposure["variant"],
        exposure["epoch"],
        None if exposure["forced"] else exposure["unit"],
        instant(exposure["at"]),
        float(score["value"]),
        instant(score["at"]),
        instant(score["recorded_at"]),
    )


def serve(
    url: str,
    run: str,
    experiment: str,
    variant: str,
    *,
    index: int = 0,
    unit: str | None = "account",
    forced: bool = False,
) -> ExperimentRef:
    """Write the exposure of a run, as the flush of a choice does; gives what names it."""
    id_ = ids.parse(run)
    row = (PROJECT, experiment, id_, index, variant, unit, 0.5, 1, forced, datetime.now(UTC), None)
    key = (PROJECT, [experiment], [id_], [index])
    with psycopg.connect(url) as connection:
        connection.execute(f"{EXPOSURE} ON CONFLICT DO NOTHING", row)
        connection.execute(TAKE_OVER, key)
    return ExperimentRef(experiment=experiment, variant=variant, index=index)


def maturity(case: Row) -> timedelta:
    """How long the case's answers are waited for."""
    return timedelta(seconds=case["plan"]["maturity_seconds"])
