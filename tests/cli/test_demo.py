"""`assay demo`: published figures from stored scores, whatever happens on the way."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import psycopg

from assay.cli.trajectories import PUBLISHED, load

if TYPE_CHECKING:
    from program import Program

TASKS = 5
RUNS = TASKS * 4
ENDED = "SELECT count(*) FROM assay.runs WHERE fn = 'airline-agent' AND status IS NOT NULL"


def demo(assay: Program, *options: str, tasks: int = TASKS) -> dict[str, Any]:
    """What a demo of the first tasks prints, without the experiment."""
    given = ("--exit", "--json", "--no-experiment", "--tasks", str(tasks))
    done = assay.run("demo", *given, *options)
    (line,) = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def share_of_passes() -> float:
    """pass^1 of the first tasks, from the published rewards."""
    return sum(one.reward for one in load() if one.task_id < TASKS) / RUNS


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """All that must be the same whenever the same has happened."""
    return {name: value for name, value in found.items() if name not in {"seconds", "spans"}}


def test_all_of_it_gives_the_published_figures(assay: Program) -> None:
    """200 runs: pass^1 to pass^4 to three decimals, each with its interval."""
    found = demo(assay, tasks=50)

    assert found["runs"] == 200
    for k, published in PUBLISHED.items():
        figure = found["pass_hat_k"][str(k)]
        assert round(figure["estimate"], 3) == published == found["published"][str(k)]
        assert figure["ci"][0] < published < figure["ci"][1]
        assert (figure["tasks"], figure["tasks_left_out"]) == (50, 0)
    assert found["outcomes"] == {"observed": 200, "timed_out": 0}
    assert found["scores"] == 400
    turns = sum(len(one.turns) for one in load())
    assert found["steps"] == turns + 200 + 200  # a score and a wait for each run
    assert found["spans"] == 400 + found["steps"] + turns + turns  # runs, steps, attempts, its own


def test_again_nothing_runs_twice_and_a_deleted_score_moves_the_figure(
    assay: Program, database: str
) -> None:
    """The figures come from what is stored."""
    first = demo(assay)
    assert first["pass_hat_k"]["1"]["estimate"] == share_of_passes()
    assert figures(demo(assay)) == figures(first)

    with psycopg.connect(database) as connection:
        connection.execute(
            "DELETE FROM assay.scores WHERE id = (SELECT score_id FROM assay.scores_latest"
            " WHERE name = 'task-reward' AND value = 1 LIMIT 1)"
        )
    moved = demo(assay)

    assert moved["pass_hat_k"]["1"]["estimate"] < first["pass_hat_k"]["1"]["estimate"]
    assert moved["pass_hat_k"]["4"]["tasks_left_out"] == 1
    assert moved["scores"] == first["scores"] - 1


def test_killed_half_way_and_started_again_it_gives_the_same(assay: Program, database: str) -> None:
    """What was done is not done again: each memo is there once."""
    with (
        assay.start("demo", "--exit", "--json", "--no-experiment", "--tasks", str(TASKS)) as killed,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        while not steps_of(connection) > 100:
            pass
        assert killed.stop(signal.SIGKILL) == -signal.SIGKILL
        row = connection.execute(ENDED).fetchone()
        assert row is not None
        assert row[0] < RUNS

        found = demo(assay)

        turns = sum(len(one.turns) for one in load() if one.task_id < TASKS)
        assert found["steps"] == turns + 2 * RUNS
        assert found["pass_hat_k"]["1"]["estimate"] == share_of_passes()
        assert found["outcomes"] == {"observed": RUNS, "timed_out": 0}
        assert found["scores"] == 2 * RUNS
        assert connection.execute(ENDED).fetchone() == (RUNS,)


def steps_of(connection: psycopg.Connection[Any]) -> int:
    """Memos of all runs; 0 before there is a table for them."""
    row = connection.execute("SELECT to_regclass('assay.journal') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("SELECT count(*) FROM assay.journal").fetchone()
    return 0 if row is None else int(row[0])


def test_silence_shows_as_no_response(assay: Program) -> None:
    """Withheld rewards time out, and tasks with fewer than k rewards leave pass^k."""
    found = demo(assay, "--silence", "0.2")

    assert found["outcomes"] == {"observed": 16, "timed_out": 4}
    assert found["pass_hat_k"]["1"]["tasks_left_out"] == 0
    assert found["pass_hat_k"]["4"]["tasks_left_out"] > 0
    assert found["pass_hat_k"]["4"]["tasks"] + found["pass_hat_k"]["4"]["tasks_left_out"] == TASKS
    assert found["scores"] == RUNS + 16
    assert figures(demo(assay, "--silence", "0.2")) == figures(found)


def test_without_exit_it_leaves_the_server_up(assay: Program) -> None:
    """And says what to look at."""
    with assay.start("demo", "--no-experiment", "--tasks", "1", "--port", "0") as running:
        address = running.line("ready").removeprefix("ready ")
        assert running.line("pass^1").split()[0] == "pass^1"
        running.line("Look at it")
        assay.environment["ASSAY_URL"] = address
        assert len(assay.read("runs", "--function", "airline-agent")) == 4
        assert running.stop() == 0
