"""What a claim reads: the rows of the runs that it takes, whatever else the tables hold."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

import assay

if TYPE_CHECKING:
    from boxes import OpenBox

MANY = 200
CLAIM = "SELECT count(*) FROM assay.claim(1, 'app', ARRAY['s'], gen_random_uuid(), %s, 10, NULL)"
READ = (
    "SELECT sum(seq_tup_read + idx_tup_fetch)::int FROM pg_stat_xact_user_tables"
    " WHERE schemaname = 'assay' AND relname ~ '^(runs|defers|journal|waits|events)'"
)


# On a cluster the rows are read, and counted, on the nodes.
@pytest.mark.one_server
@pytest.mark.anyio
async def test_a_scorer_is_claimed_without_a_look_at_all_runs_and_promises(
    open_box: OpenBox, assay_database: str
) -> None:
    """Ten of 200 scorers: their own rows and those of their parents."""
    client = assay.Client("app")

    @client.scorer("s", scores="word")
    async def s(ctx: assay.ScorerContext) -> None:
        await ctx.step.sleep("nap", "1d")

    @client.function("f", on="go")
    async def f(ctx: assay.Context) -> None:
        ctx.defer("d", s, {})

    async with open_box(client) as box:
        await box.send([assay.Event("go", {}) for _ in range(MANY)])
        await box.settled()
        later = (box.clock.now() + timedelta(days=2)).timestamp()
        with psycopg.connect(assay_database) as connection:
            # Tables as small as these are scanned as soon as they are known to be small.
            connection.execute("SET LOCAL enable_seqscan = off")
            assert connection.execute(CLAIM, [later]).fetchone() == (10,)
            (read,) = connection.execute(READ).fetchone() or (0,)
            connection.rollback()
    assert 0 < read < MANY
