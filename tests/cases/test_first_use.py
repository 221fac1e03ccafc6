"""What a unit was served first decides where it counts, also where two uses share an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from assay.experiments.sight import ALWAYS
from assay.model.moments import RUN_FAILURE, Counting
from assay.store.moments import moments
from assay.store.pool import connect
from experiment_rows import EXPOSURE, PROJECT

pytestmark = pytest.mark.anyio

AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("runs", [(1, 2), (2, 1)])
async def test_of_uses_at_one_instant_that_of_the_least_run_is_the_first(
    assay_database: str, runs: tuple[int, int]
) -> None:
    """Not the variant that comes first by name, nor the row that was written first."""
    with psycopg.connect(assay_database) as connection:
        for number in runs:
            variant = "b" if number == 1 else "a"
            row = (PROJECT, "e", UUID(int=number), 0, variant, "acct", 0.5, 1, False, AT, None)
            connection.execute(EXPOSURE, row)
    async with (
        await connect(assay_database) as opened,
        opened.cursor(row_factory=dict_row) as cursor,
    ):
        found = await moments(
            cursor,
            Counting(
                project=PROJECT,
                experiment="e",
                cutoff=AT + timedelta(days=9),
                maturity=timedelta(days=7),
                since=ALWAYS,
                sticky=False,
            ),
            metrics=[RUN_FAILURE],
        )
    (arm,) = found[RUN_FAILURE].arms
    assert (arm.variant, arm.counts.exposed, arm.counts.crossed) == ("b", 2, 1)
