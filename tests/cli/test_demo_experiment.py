"""The experiment of `assay demo`: naive numbers mislead, the verdict holds, whatever happens."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg
import pytest

from assay.cli.customers import REFUSED, tickets, truth
from assay.cli.helpdesk import CONTROL, VARIANT
from program import PATIENCE_S

if TYPE_CHECKING:
    from program import Program

BRIEF = ("demo", "--tasks", "1")
NAIVE, NAIVE_AT_MOST = -0.10504454961, -0.07099652063
VERDICT, VERDICT_FROM, VERDICT_TO = 0.10610557673, 0.00204785882, 0.21016329463


def test_the_truth_is_what_customers_do() -> None:
    """Over 30,000 tickets: those that the variant helps less those that the control helps."""
    differences = [
        0 if one.is_refused else one.helped[VARIANT] - one.helped[CONTROL]
        for seed in range(10)
        for one in tickets(seed)
    ]
    mean = sum(differences) / len(differences)
    assert len(differences) > 25_000
    assert abs(mean - truth()) < 0.01
    refused = [one.is_refused for one in tickets(0)]
    assert abs(sum(refused) / len(refused) - REFUSED) < 0.01


def test_killed_half_way_and_started_again_it_gives_the_same(assay: Program, database: str) -> None:
    """As one that was not killed, on any day; and all of it is left to look at."""
    with (
        assay.start(*BRIEF, "--exit", "--json") as killed,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        while not exposed(connection) > 1_000:
            pass
        assert killed.stop(signal.SIGKILL) == -signal.SIGKILL
    (line,) = assay.run(*BRIEF, "--exit", "--json").stdout.splitlines()
    found = json.loads(line)["experiment"]
    naive, (beside,) = found["naive"], found["results"]["metrics"][0]["variants"]
    read_off, verdict = naive["silence_as_no"]["difference"], beside["standing"]["difference"]
    assert [read_off["estimate"], read_off["ci"][1]] == pytest.approx([NAIVE, NAIVE_AT_MOST])
    assert [verdict["estimate"], *verdict["ci"]] == pytest.approx(
        [VERDICT, VERDICT_FROM, VERDICT_TO]
    )
    assert NAIVE_AT_MOST < 0 < VERDICT_FROM < found["truth"] < VERDICT_TO
    assert found["looks"] == {"taken": 28, "tested": 19}
    assert [epoch["weights"] for epoch in found["results"]["epochs"]] == [
        {CONTROL: 80, VARIANT: 20},
        {CONTROL: 20, VARIANT: 80},
    ]

    with assay.start(*BRIEF, "--port", "0") as running:
        address = running.line("ready").removeprefix("ready ")
        assert running.line("each run, silence is no").split()[-6] == f"{100 * NAIVE:+.1f}"
        assert running.line("verdict of").split()[-6] == f"{100 * VERDICT:+.1f}"
        assert running.line("the truth").split()[-2] == f"{100 * truth():+.1f}"
        running.line("Look at it")
        for state in ("pending", "timed_out", "observed"):
            outcomes = httpx2.get(f"{address}/api/v1/outcomes?state={state}", timeout=PATIENCE_S)
            assert outcomes.json()["data"]
        listing = httpx2.get(f"{address}/api/v1/experiments", timeout=PATIENCE_S)
        (listed,) = listing.json()["data"]
        assert [one["word"] for one in listed["verdicts"]] == ["better"]
        assert running.stop() == 0


def test_beside_another_worker_it_makes_no_time_of_its_own(assay: Program) -> None:
    """That one would look at days that are still to come."""
    (assay.directory / "app.py").write_text(APP)
    with assay.start("worker", "app.py") as worker:
        worker.line("working")
        done = assay.run(*BRIEF, "--exit", code=1)
    assert "demo_not_alone" in done.stderr
    assert "app (process" in done.stderr


APP = """
import assay

client = assay.Client("app")


@client.function("f", on="go")
async def f(ctx: assay.Context) -> None:
    pass
"""


def exposed(connection: psycopg.Connection[Any]) -> int:
    """How many exposures there are; 0 before there is a table for them."""
    row = connection.execute("SELECT to_regclass('assay.exposures') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("SELECT count(*) FROM assay.exposures").fetchone()
    return 0 if row is None else int(row[0])
