"""The commands that read and write by the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from program import PATIENCE_S
from source_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from program import Program, Started

SCORER = str(ROOT / "examples" / "scorer.py")
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def working(assay: Program) -> Iterator[Started]:
    """A worker of the scorer example."""
    with assay.start("worker", SCORER) as worker:
        worker.line("working")
        yield worker


def feedback_of(assay: Program, run: str) -> dict[str, Any]:
    """The one outcome of a run."""
    (outcome,) = assay.read("outcomes", "--run", run)
    return outcome


@pytest.mark.usefixtures("working")
def test_from_an_event_to_a_tree(assay: Program) -> None:
    """Send, wait, give feedback, look at the run."""
    (run,) = assay.read(
        *("send", "support/ticket.created", '{"ticketId": "tk_1"}'),
        *("--session", "ticket_id=tk_1", "--key", "first", "--wait"),
    )
    again = assay.run("send", "support/ticket.created", '{"ticketId": "tk_1"}', "--key", "first")
    assert "it is a duplicate: event" in again.stderr
    assert feedback_of(assay, run["id"])["state"] == "pending"

    assay.run("send", "support/feedback.received", '{"ticketId": "tk_1", "helpful": true}')
    scorer = feedback_of(assay, run["id"])["scorer_run_id"]
    while feedback_of(assay, run["id"])["state"] == "pending":
        pass

    assert feedback_of(assay, run["id"])["state"] == "observed"
    (score,) = assay.read("scores", "--name", "user-feedback")
    assert (score["value"], score["run_id"]) == (True, run["id"])
    tree = assay.run("run", run["id"]).stdout
    for part in (
        "answer-support-ticket run completed",
        "sessions ticket_id=tk_1",
        "generate-answer",
        "user-feedback observed outcome of support-feedback-scorer",
        "user-feedback pass score from scorer",
        f"support-feedback-scorer scorer {scorer} completed",
        "wait-for-feedback wait",
        "took",
    ):
        assert part in tree


@pytest.mark.usefixtures("working")
def test_json_lines_are_what_the_api_gives(assay: Program) -> None:
    """Read in process and over HTTP, a line is the API's object."""
    (run,) = assay.read(
        "send", "support/ticket.created", '{"ticketId": "a"}', "--session", "k=1", "--wait"
    )
    commands = {
        ("runs",): "/runs",
        ("scores",): "/scores",
        ("outcomes",): "/outcomes",
        ("sessions",): "/sessions",
        ("sessions", "k"): "/sessions/k",
    }
    with assay.start("serve", "--port", "0") as server:
        address = server.line("ready").removeprefix("ready ")
        for command, path in commands.items():
            expected = httpx2.get(f"{address}/api/v1{path}", timeout=PATIENCE_S).json()["data"]
            assert assay.read(*command) == expected
        expected = httpx2.get(f"{address}/api/v1/runs/{run['id']}", timeout=PATIENCE_S).json()
        assert assay.read("run", run["id"]) == [expected]

        assay.environment["ASSAY_URL"] = address
        assert assay.read("run", run["id"]) == [expected]


@pytest.mark.usefixtures("working")
def test_filters_limits_and_cancel(assay: Program) -> None:
    """What is asked for, and no more."""
    first, second = (
        assay.read("send", "support/ticket.created", json.dumps({"ticketId": id_}), "--wait")[0]
        for id_ in ("a", "b")
    )

    functions = ("runs", "--function", "answer-support-ticket")
    assert [run["id"] for run in assay.read(*functions)] == [second["id"], first["id"]]
    assert len(assay.read(*functions, "--limit", "1")) == 1
    assert assay.read("runs", "--status", "failed") == []
    assert assay.run("runs", "--status", "failed").stderr == "no runs\n"
    assert assay.run("runs", "--session", "k=none").stderr == "no runs in session k=none\n"
    assert len(assay.read(*functions, "--since", "1h")) == 2
    assert assay.read(*functions, "--until", "1h30m") == []

    scorer = feedback_of(assay, first["id"])["scorer_run_id"]
    assert scorer is not None
    (cancelled,) = assay.read("cancel", scorer)
    assert (cancelled["id"], cancelled["status"]) == (scorer, "cancelled")
    assert feedback_of(assay, first["id"])["state"] == "cancelled"
    assert assay.run("cancel", first["id"]).stdout == f"{first['id']} completed\n"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["run", UNKNOWN], 3, "run_not_found"),
        (["cancel", UNKNOWN], 3, "run_not_found"),
        (["run", "nonsense"], 2, "bad_id"),
        (["run", "../keys"], 2, "bad_id"),
        (["cancel", ""], 2, "bad_id"),
        (["runs", "--status", "odd"], 2, "invalid"),
        (["runs", "surplus"], 2, "unexpected extra argument"),
        (["runs", "--since", "0001-01-01"], 2, "'--since': must lie between 1980 and 2100"),
        (["runs", "--since", "99y"], 2, "neither an age such as 30m, 1h or 7d, nor an instant"),
        (["runs", "--since", "90000d"], 2, "'--since': must lie between 1980 and 2100"),
        (["runs", "--until", "9999-12-31T23:59:59-12:00"], 2, "'--until': must lie between"),
        (["nonsense"], 2, "No such command"),
        (["send", "a/b", "[]"], 2, "bad_json"),
        (["send", "a/b", '{"n": NaN}'], 2, "bad_json"),
        (["send", "a/b", '{"n": 1e400}'], 2, "bad_json"),
        (["send", "a/b", '{"n": ' + "[" * 9_000 + "]" * 9_000 + "}"], 2, "bad_json"),
        (["send", "a\udcff", "{}"], 2, "'a\\udcff' is no text in UTF-8"),
        (["send", "a/b", "{}", "--session", "alone"], 2, "bad_session"),
        (["send", "", "{}"], 2, "event name must be a non-empty string (event_name) [NAME]"),
        (["keys", "create", ""], 2, "the name of a key must be"),
        (["keys", "create", "two\nlines"], 2, "the name of a key must be"),
        (["keys", "revoke", "assay_none"], 3, "key_not_found"),
    ],
)
def test_exit_codes(assay: Program, arguments: list[str], code: int, word: str) -> None:
    """Scripts can tell what went wrong, people can read it."""
    assert word in assay.run(*arguments, code=code).stderr


def test_an_event_that_starts_nothing_says_so(assay: Program) -> None:
    """On stderr: stdout belongs to scripts."""
    sent = assay.run("send", "nobody/listens")
    assert "no function was started" in sent.stderr
    assert sent.stdout.startswith("event ")


def test_an_event_is_sent_as_it_is_written(assay: Program) -> None:
    """Also what UTF-8 can't hold, which models emit; the event says what became of it."""
    (sent,) = assay.read("send", "nobody/listens", '{"half": "\\ud800"}')
    assert len(sent["event_ids"]) == 1


def test_an_api_that_does_not_answer(assay: Program) -> None:
    """Exit code 4."""
    assay.environment["ASSAY_URL"] = "http://127.0.0.1:9"
    assert "api_unreachable" in assay.run("runs", code=4).stderr


def test_where_there_is_no_data_nothing_is_made(embedded: Program) -> None:
    """Reading starts no database."""
    assert "no_data" in embedded.run("runs", code=3).stderr


def test_an_unknown_project(assay: Program) -> None:
    """It is named."""
    assay.environment["ASSAY_PROJECT"] = "elsewhere"
    assert "project_not_found" in assay.run("runs", code=3).stderr


def test_keys_are_listed_and_revoked(assay: Program) -> None:
    """Their text is shown once."""
    secret = assay.run("keys", "create", "a test").stdout.strip()
    (key,) = assay.read("keys", "list")
    assert secret.startswith(key["prefix"])
    assert secret not in json.dumps(key)
    assert key["revoked_at"] is None

    assert assay.read("keys", "revoke", key["prefix"])[0]["revoked_at"] is not None
    assay.run("keys", "revoke", key["prefix"], code=3)


def test_hours_are_counted_again(assay: Program) -> None:
    """In a project without runs that is soon done."""
    assert assay.read("rollups", "rebuild") == [{"hours": 0}]
    assert assay.run("rollups", "rebuild").stdout == "counted 0 hours with runs again\n"


def test_help_is_quick_and_lists_all_commands(assay: Program) -> None:
    """It loads no server and no database."""
    shown = assay.run("--help").stdout
    for command in ("dev", "worker", "serve", "send", "runs", "run", "doctor", "demo"):
        assert f"  {command} " in shown
        assert "Usage: assay" in assay.run(command, "--help").stdout


def test_it_says_its_version(assay: Program) -> None:
    """As others do."""
    assert assay.run("--version").stdout.startswith("assay 0.")
