"""The published experiment, written as it would come: one score or choice after another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pytest

from assay import ids
from experiment_rows import PROJECT, TAKE_OVER, exposure, instant, published, write

if TYPE_CHECKING:
    from assay.testing import Databases
    from experiment_rows import Row

CASE = published()
RECORD = "SELECT assay.record_scores(%s, %s, %s, NULL)"
COUNTED = (
    "SELECT metric, run_id, idx, score_id, variant, epoch, unit, exposed_at, value, at, recorded_at"
    " FROM assay.experiment_scores ORDER BY run_id, idx, score_id"
)


def expose(connection: psycopg.Connection[Any], one: Row) -> None:
    """Write an exposure, as the flush of a choice does."""
    key = PROJECT, [CASE["name"]], [ids.parse(one["run"])], [one["index"]]
    with connection.transaction():
        exposure(connection, CASE, one)
        connection.execute(TAKE_OVER, key)


def give(connection: psycopg.Connection[Any], one: Row, *, named: bool) -> None:
    """Record a score when it was recorded, plain or with what its run was served."""
    row = {
        "id": str(ids.parse(one["id"])),
        "subject": "run",
        "run": str(ids.parse(one["run"])),
        "step": "",
        "idx": 0,
        "name": one["name"],
        "value": float(one["value"]),
        "is_bool": True,
        "at": instant(one["at"]).timestamp(),
        "source": "api",
    }
    if named:
        served = next(each for each in CASE["exposures"] if each["run"] == one["run"])
        row |= {"ref_experiment": CASE["name"], "ref_variant": served["variant"]}
        row |= {"ref_idx": one["index"]}
    now = instant(one["recorded_at"]).timestamp()
    connection.execute(RECORD, (PROJECT, now, json.dumps([row])))


@pytest.mark.parametrize("seed", range(2))
def test_what_counts_is_the_same_in_any_order_of_arrival(
    assay_databases: Databases, seed: int
) -> None:
    """Exposures and scores come mixed, some scores twice, some named: the rows are as published."""
    chance = np.random.default_rng(seed)
    things = [*CASE["exposures"], *CASE["scores"], *CASE["scores"][::5]]
    coming = [things[place] for place in chance.permutation(len(things))]
    with assay_databases.new() as url, psycopg.connect(url, autocommit=True) as connection:
        write(connection, CASE, scores=None)
        published_rows = connection.execute(COUNTED).fetchall()
    with assay_databases.new() as url, psycopg.connect(url, autocommit=True) as connection:
        for one in coming:
            if "id" in one:
                give(connection, one, named=chance.random() < 0.5)
            else:
                expose(connection, one)
        assert connection.execute(COUNTED).fetchall() == published_rows
        left = connection.execute("SELECT count(*) FROM assay.score_references").fetchone()
    assert len(published_rows) == len(CASE["scores"])
    assert left == (0,)
