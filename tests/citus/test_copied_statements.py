"""On Citus the statements for psql go to one shard, too: each view is asked for its project."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from assay.store.copies import events, experiments, functions, runs, scores, sessions, spans
from assay.store.experiments import UnitFilter
from assay.store.outcomes import OutcomeFilter
from assay.store.runs import RunFilter
from assay.store.score_values import Range

AT = datetime(2026, 11, 27, tzinfo=UTC)
ID = UUID(int=7)
WITHIN = Range(AT, AT)
COPIES = {
    "runs": runs.of_filter(
        1,
        RunFilter(
            function="f",
            app="a",
            status="failed",
            session_key="k",
            session_id="i",
            score="s",
            score_min=1,
            score_max=2,
            score_is=True,
            experiment="e",
            variant="v",
            unit="u",
            queued_after=AT,
            queued_before=AT,
        ),
    ),
    "all runs": runs.of_filter(1, RunFilter()),
    "run": runs.one(1, ID),
    "two runs": runs.two(1, ID, ID),
    "step": spans.of_step(1, ID, "s", 0),
    "span": spans.of_code(1, ID, "000000000000002a"),
    "runs of a session": runs.of_session(1, "k", "i"),
    "session keys": sessions.keys(1),
    "sessions": sessions.of_key(1, "k"),
    "session": sessions.one(1, "k", "i"),
    "score names": scores.names(1, WITHIN),
    "score": scores.of_name(1, "s", WITHIN),
    "outcomes": scores.outcomes(1, OutcomeFilter(app="a", session=("k", "i"), overdue=AT)),
    "events": events.of_filter(1, name="e"),
    "event": events.one(1, ID),
    "functions": functions.all_of(1),
    "experiments": experiments.all_of(1),
    "experiment": experiments.one(1, "e", AT),
    "units": experiments.units(1, "e", UnitFilter(variant="v"), before=AT),
}


@pytest.mark.skipif("ASSAY_CITUS_URL" not in os.environ, reason="no cluster is named")
@pytest.mark.citus
@pytest.mark.parametrize("name", COPIES)
def test_one_shard(citus: str, name: str) -> None:
    """EXPLAIN says that there is one task, of each statement."""
    with psycopg.connect(citus) as connection:
        for statement in COPIES[name].split("\n\n"):
            # A heading would hide what follows EXPLAIN.
            text = "EXPLAIN\n" + statement
            plan = "\n".join(row[0] for row in connection.execute(text.encode()))
            assert re.findall(r"Task Count: (\d+)", plan) == ["1"], (statement, plan)
