"""`assay doctor`: each check in good and in bad health."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from assay.cli import checks
from assay.store.health import WorkerState
from program import kept_port
from source_tree import ROOT

if TYPE_CHECKING:
    from program import Program

SCORER = str(ROOT / "examples" / "scorer.py")


def by_name(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Findings by what was looked at."""
    return {one["name"]: one for one in found}


def test_before_the_first_start(embedded: Program) -> None:
    """All is well, and nothing is made."""
    with kept_port() as port:
        found = by_name(embedded.read("doctor", "--port", str(port)))

    assert {one["state"] for one in found.values()} == {"ok"}
    assert "the first start makes it" in found["database"]["found"]
    assert not Path(embedded.environment["ASSAY_DATA_DIR"]).exists()


def test_with_a_server_and_a_worker(assay: Program) -> None:
    """Both are seen; without the worker it is missed."""
    with assay.start("serve", "--port", "0") as server:
        port = server.line("ready").rpartition(":")[2]
        found = by_name(assay.read("doctor", "--port", port))
        assert found["port"]["found"] == f"Assay answers on {port} of 127.0.0.1"
        assert found["schema"]["state"] == "ok"
        assert found["clock"]["state"] == "ok"
        assert found["workers"]["state"] == "warn"
        assert "assay worker" in found["workers"]["mend"]

        with assay.start("worker", SCORER) as worker:
            worker.line("working")
            found = by_name(assay.read("doctor", "--port", port))
            assert "support-agent on " in found["workers"]["found"]


def test_what_fails_gives_exit_code_1(assay: Program) -> None:
    """A foreign program on the port, and a database that doesn't answer."""
    assay.environment["ASSAY_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = assay.run("doctor", "--port", str(taken.getsockname()[1]), code=1)
    assert "✗ database: " in done.stdout
    assert "✗ port: another program listens" in done.stdout


@pytest.mark.parametrize(
    ("check", "state"),
    [
        (checks.schema(None, 5), "ok"),
        (checks.schema(5, 5), "ok"),
        (checks.schema(4, 5), "warn"),
        (checks.schema(6, 5), "fail"),
        (checks.clock_offset(0.2), "ok"),
        (checks.clock_offset(-1.5), "warn"),
        (checks.alive([]), "warn"),
        (checks.alive([WorkerState(UUID(int=1), "app", "host", 1, 3.0)]), "warn"),
        (checks.alive([WorkerState(UUID(int=1), "app", "host", 1, -3.0)]), "ok"),
    ],
)
def test_what_is_not_ok_says_how_to_mend_it(check: checks.Check, state: str) -> None:
    """And what is ok says nothing."""
    assert check.state == state
    assert (check.mend is None) == (state == "ok")
