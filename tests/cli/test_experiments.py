"""Experiments on the command line: verdicts in words, arms, a forest plot, stopping."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from rich.cells import cell_len

from assay.cli.forest import forest
from experiment_rows import instant
from program import Program
from published_experiment import CASE, LAST, NAME, load, plan, take, with_durations

if TYPE_CHECKING:
    from pathlib import Path

FIGURE = {
    "estimate": 0.1, "ci": [-0.1, 0.3], "reason": None, "alpha": 0.05, "mode": "anytime",
}  # fmt: skip


@pytest.fixture
def looked(assay: Program, database: str) -> None:
    """The published experiment with its looks, where the program has made the tables."""
    assay.run("experiments")
    load(database, plan(guardrails={"run.failure": -0.05}))
    take(database, LAST + timedelta(hours=1))


@pytest.mark.usefixtures("looked")
def test_a_verdict_can_be_read_and_an_experiment_stopped_once(assay: Program) -> None:
    """The list, the sentence with its interval, each arm's counts, the plot; then the decision."""
    (listed,) = assay.read("experiments")
    assert (listed["id"], [one["variant"] for one in listed["verdicts"]]) == (NAME, ["concise"])
    (found,) = assay.read("experiment", NAME, "--cutoff", CASE["last_look"])
    (variant,) = found["metrics"][0]["variants"]

    shown = assay.run("experiment", NAME, "--cutoff", CASE["last_look"], "--plain").stdout
    for part in (
        variant["standing"]["sentence"],
        "detailed (control)",
        "beside detailed, 95 %,",
        "guardrail run.failure is open for concise (margin -5.0 pp)",
        "95 % for one look",
        "  failed runs, concise: ",
        "  without failed runs, concise: ",
    ):
        assert part in shown
    tables = [line for line in shown.splitlines() if not line.startswith("  'concise'")]
    assert max(map(len, tables)) <= 80
    bars = [line.removeprefix("  concise ") for line in shown.splitlines() if "-o-" in line]
    assert len(bars) == len(found["metrics"])
    assert all(bar.index("[") < bar.index("o") < bar.index("]") for bar in bars)

    stop = ("experiment", NAME, "--stop", "--decision", "concise stays", "--reason", "better")
    assert "and why" in assay.run(*stop[:-2], code=2).stderr
    assay.environment["ASSAY_AUTHOR"] = "ada"
    assert assay.run(*stop).stdout == f"{NAME} stopped: concise stays\n"
    (listed,) = assay.read("experiments")
    assert listed["stopped"]["author"] == "ada"
    refused = assay.run(*stop, code=1)
    assert "experiment_is_stopped" in refused.stderr
    assert "stopped" in assay.run("experiment", NAME).stdout


@pytest.mark.usefixtures("looked")
def test_results_load_none_of_the_dear_statistics(database: str, tmp_path: Path) -> None:
    """`scipy.special` is enough: `scipy.stats` costs more than all else that is loaded."""
    telling = {"ASSAY_DATABASE_URL": database, "PYTHONPROFILEIMPORTTIME": "1"}
    loaded = Program(telling, tmp_path).run("experiment", NAME).stderr
    assert "scipy.special" in loaded
    assert "scipy.stats" not in loaded


def test_a_command_loads_what_it_asks_for_alone(database: str, tmp_path: Path) -> None:
    """Neither numbers nor the routes of other resources: they would double its start."""
    telling = Program({"ASSAY_DATABASE_URL": database, "PYTHONPROFILEIMPORTTIME": "1"}, tmp_path)
    for command in ("runs", "experiments"):
        loaded = {line.split()[-1] for line in telling.run(command).stderr.splitlines()}
        assert f"assay.store.{command}" in loaded
        assert loaded.isdisjoint({"numpy", "scipy", "assay.store.sessions"})


def test_the_list_says_which_guardrail_keeps_a_variant_back(assay: Program, database: str) -> None:
    """The word alone would say that nothing is known yet."""
    assay.run("experiments")
    load(database, plan(guardrails={"run.duration": -2.0}))
    with_durations(database, {"detailed": 3.0, "concise": 9.0})
    crossed = CASE["expected"][-1]["variants"]["concise"]["planned"]["verdict"]["cutoff"]
    take(database, instant(crossed) + timedelta(hours=1))
    listed = " ".join(assay.run("experiments").stdout.split())
    assert "keep collecting (guardrail broken: run.duration)" in listed


def test_all_experiments_are_listed_unless_fewer_are_asked_for(
    assay: Program, database: str
) -> None:
    """However many there are: who looks for one must not miss it."""
    assay.run("experiments")
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO assay.experiments (project_id, name, first_seen)"
            " SELECT 1, 'e' || n, now() FROM generate_series(1, 501) n"
        )
    assert len(assay.read("experiments")) == 501
    assert len(assay.read("experiments", "--limit", "3")) == 3


@pytest.mark.usefixtures("looked")
def test_while_all_runs_are_pending_it_says_how_long_answers_are_waited_for(assay: Program) -> None:
    """And nothing of epochs that are left out or units that are few, which only time will tell."""
    cutoff = f"{CASE['epochs'][0]['from'][:10]}T20:00:00Z"
    shown = assay.run("experiment", NAME, "--cutoff", cutoff)
    said = shown.stdout + shown.stderr
    assert "  all are pending: answers are waited for until 7 d after the exposure\n" in said
    assert "left out" not in said
    assert "under 10" not in said


@pytest.mark.usefixtures("looked")
def test_what_was_forced_is_said_to_be_left_out(assay: Program, database: str) -> None:
    """It would be missed otherwise: no table counts it."""
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE assay.exposures SET forced = at < '2026-03-04'")
    (found,) = assay.read("experiment", NAME)
    said = f"left out, since a variant was forced: {found['forced']} exposures\n"
    assert found["forced"] > 1
    assert said in assay.run("experiment", NAME).stdout


def test_an_unknown_experiment_is_not_found(assay: Program) -> None:
    """With the exit code that says so."""
    assert "experiment_not_found" in assay.run("experiment", "a/b", code=3).stderr
    assert "--reason" in assay.run("experiment", "a/b", "--stop", code=2).stderr


def test_a_decision_is_not_lost_for_want_of_a_stop(assay: Program) -> None:
    """Who decided believes it kept."""
    assert "--stop" in assay.run("experiment", NAME, "--decision", "a stays", code=2).stderr


def test_a_plot_has_a_line_at_no_difference_and_says_why_there_is_no_interval() -> None:
    """All bars share one scale."""
    none = FIGURE | {"ci": None, "reason": "too few"}
    variants = [
        {"variant": name, "control_variant": "a", "difference": figure}
        for name, figure in (("b", FIGURE), ("long", none))
    ]
    lines = [*forest(variants, width=60, plain=True)]
    assert lines[1].startswith("  b    [----|----o----------] +0.1 (")
    assert lines[2:] == ["  long  too few", "       beside a, 95 %, anytime"]
    assert [*forest([variants[1]], width=60)] == ["  long  too few"]


@pytest.mark.parametrize("name", ["a style of answering that is long" * 3, "回答" * 30])
def test_a_plot_fits_a_terminal_whatever_names_are_in_it(name: str) -> None:
    """They stand whole in the sentences and tables above."""
    variants = [
        {"variant": one, "control_variant": "a", "difference": FIGURE} for one in (name, "b")
    ]
    _, *bars, _ = forest(variants, width=80, plain=True, is_share=True)
    assert max(map(cell_len, bars)) <= 80
    assert len({bar.index("]") - bar.index("[") for bar in bars}) == 1
