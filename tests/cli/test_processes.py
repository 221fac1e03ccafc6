"""The commands that go on: they say when they are ready, and end in order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import psycopg

from program import PATIENCE_S, kept_port
from source_tree import ROOT

if TYPE_CHECKING:
    from program import Program

SCORER = str(ROOT / "examples" / "scorer.py")
READY = re.compile(r"ready (http://127\.0\.0\.1:(\d+))")


def address_in(line: str) -> str:
    """The address in a ready line."""
    found = READY.fullmatch(line)
    assert found is not None
    assert int(found[2]) > 0
    return found[1]


def test_serve_says_that_it_is_ready_and_ends_in_order(embedded: Program) -> None:
    """On a database that it makes itself, on a port that it chose."""
    with embedded.start("serve", "--port", "0") as server:
        address = address_in(server.line("ready"))

        assert httpx2.get(f"{address}/api/v1/health", timeout=PATIENCE_S).json()["status"] == "ok"
        assert server.stop() == 0


def test_serve_listens_where_it_is_told(assay: Program) -> None:
    """The port of the ready line is the one asked for."""
    with kept_port() as port, assay.start("serve", "--port", str(port)) as server:
        assert server.line("ready") == f"ready http://127.0.0.1:{port}"
        assert server.stop(signal.SIGINT) == 0


def test_a_request_that_waits_does_not_hold_up_the_end(assay: Program) -> None:
    """Somebody waits a minute for the end of a run that nobody works on."""
    with assay.start("worker", SCORER) as worker:
        worker.line("working")
        assert worker.stop() == 0
    (sent,) = assay.read("send", "support/ticket.created", '{"ticketId": "tk_1"}')
    with assay.start("serve", "--port", "0") as server:
        port = int(server.line("ready").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            path = f"/api/v1/runs/{sent['run_ids'][0]}?wait_s=60"
            waiting.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 30


def test_a_taken_port_is_told_of(assay: Program) -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = assay.run("serve", "--port", str(taken.getsockname()[1]), code=1)
    assert "port_in_use" in done.stderr
    assert "--port" in done.stderr


def test_beyond_this_machine_only_with_keys(assay: Program) -> None:
    """Refused without, let in with."""
    refused = assay.run("serve", "--host", "0.0.0.0", "--port", "0", code=5)  # noqa: S104
    assert "keys_required" in refused.stderr
    assert "assay keys create" in refused.stderr

    (key,) = assay.read("keys", "create", "a test")
    with assay.start("serve", "--host", "0.0.0.0", "--port", "0") as server:  # noqa: S104
        port = server.line("ready").rpartition(":")[2]
        runs = f"http://127.0.0.1:{port}/api/v1/runs"

        assert httpx2.get(runs, timeout=PATIENCE_S).status_code == 401
        let_in = {"Authorization": f"Bearer {key['key']}"}
        assert httpx2.get(runs, headers=let_in, timeout=PATIENCE_S).is_success
        assert server.stop() == 0


def test_a_worker_works_and_ends_in_order(assay: Program, database: str) -> None:
    """It names its functions, and leaves no lease behind."""
    with assay.start("worker", SCORER, "--concurrency", "5") as worker:
        line = worker.line("working")
        assert line == "working support-agent: answer-support-ticket, support-feedback-scorer"
        (run,) = assay.read("send", "support/ticket.created", '{"ticketId": "tk_1"}', "--wait")
        assert run["status"] == "completed"
        told = assay.run("send", "support/ticket.created", '{"ticketId": "tk_1"}', "--wait").stdout
        assert f"completed\n  {json.dumps(run['output'])}" in told
        assert worker.stop() == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM assay.workers").fetchone() == (0,)


def test_a_send_that_waits_says_for_what(assay: Program) -> None:
    """Nobody works, and the run stays queued."""
    with assay.start("worker", SCORER) as worker:
        worker.line("working")
    with assay.start("send", "support/ticket.created", '{"ticketId": "t"}', "--wait") as waiting:
        (_, run, _, status, *_) = waiting.line("run ").split()
        assert status == "queued;"
        assert assay.read("run", run)[0]["status"] == "queued"


def test_dev_is_all_in_one_and_renews_its_worker(embedded: Program) -> None:
    """A save brings new code; a fault in it is told of, while the code from before goes on."""
    app = embedded.directory / "app.py"
    code = Path(SCORER).read_text("utf-8")
    app.write_text(code)
    with embedded.start("dev", "app.py", "--port", "0") as dev:
        address = address_in(dev.line("ready"))
        dev.line("working support-agent: answer-support-ticket")

        app.write_text(f"{code}\ndef broken(:\n")
        assert f"{app}, line {len(code.splitlines()) + 2}: " in dev.line("error:")
        dev.line("the code from before goes on")
        (run,) = embedded.read("send", "support/ticket.created", '{"ticketId": "t"}', "--wait")
        assert run["status"] == "completed"

        app.write_text(code.replace("answer-support-ticket", "answer-anew"))
        dev.line("working support-agent: answer-anew")
        assert httpx2.get(f"{address}/api/v1/health", timeout=PATIENCE_S).is_success
        dev.line("WARNING assay.engine: no longer in the code of support-agent")
        sent = embedded.read("send", "support/ticket.created", '{"ticketId": "t"}', "--wait")
        assert [run["function_id"] for run in sent] == ["answer-anew"]
        assert dev.stop() == 0


def test_the_worker_of_dev_ends_with_it_even_when_it_is_killed(
    assay: Program, database: str
) -> None:
    """It notices, and gives its lease up in good order."""
    with assay.start("dev", SCORER, "--port", "0") as dev:
        dev.line("working")
        with psycopg.connect(database, autocommit=True) as connection:
            row = connection.execute("SELECT pid FROM assay.workers").fetchone()
            assert row is not None
            dev.stop(signal.SIGKILL)
            # Its end of the output closes with it.
            dev.__exit__(None, None, None)
            assert connection.execute("SELECT count(*) FROM assay.workers").fetchone() == (0,)
        assert not Path(f"/proc/{row[0]}").exists() or is_ending(row[0])


def is_ending(pid: int) -> bool:
    """Whether a process has no more open files."""
    try:
        return not os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - that of a process that ends
    except OSError:
        return True


def test_files_that_cannot_be_loaded(assay: Program) -> None:
    """Each with its own words, and none with a stack trace."""
    assert "app_not_found" in assay.run("worker", "none.py", code=3).stderr
    assert "app_not_found" in assay.run("worker", "no_such_module", code=3).stderr
    assert "app_not_found" in assay.run("dev", "none.py", code=3).stderr
    assert "app_not_found" in assay.run("dev", "no_such_module", code=3).stderr

    empty = assay.directory / "empty.py"
    empty.write_text("import assay\n\nclient = assay.Client('a')\n")
    assert "app_without_functions" in assay.run("worker", "empty.py", code=1).stderr

    condition = assay.directory / "condition.py"
    condition.write_text(
        "import assay\n\nclient = assay.Client('a')\n\n"
        "@client.function('f', on=assay.on('go', if_='event.data. >'))\n"
        "async def f(ctx: assay.Context) -> None: ...\n"
    )
    told = assay.run("worker", "condition.py", code=1).stderr
    assert "a trigger of 'f' has a condition that is no CEL" in told
    assert "bad_condition" in told

    broken = assay.directory / "broken.py"
    broken.write_text("import assay\nprint(undefined)\n")
    done = assay.run("worker", "broken.py", code=1)
    assert f"{broken}, line 2: NameError: name 'undefined' is not defined" in done.stderr


def test_dev_replaces_a_worker_that_was_killed(assay: Program) -> None:
    """As the system does where memory is short: the run that it had goes on in the next one."""
    app = assay.directory / "app.py"
    app.write_text(MORTAL)
    assay.environment |= {"ASSAY_LEASE_S": "1", "ASSAY_HEARTBEAT_S": "0.3"}
    with assay.start("dev", "app.py", "--port", "0") as dev:
        dev.line("working mortal")
        (run,) = assay.read("send", "die", "--wait")
        assert dev.line("the worker was killed") == (
            "the worker was killed by SIGKILL; another one starts"
        )
        assert (run["status"], run["output"]) == ("completed", "alive")
        assert dev.stop() == 0


def test_a_worker_that_is_of_no_use_any_more_ends(assay: Program) -> None:
    """So that whatever started it can start another one."""
    (assay.directory / "app.py").write_text(BROKEN)
    with assay.start("worker", "app.py") as worker:
        worker.line("ERROR assay.engine: a part of the worker ended: no")
        assert worker.wait() == 1


def test_a_database_that_does_not_answer(assay: Program) -> None:
    """Exit code 4, and where it was looked for, without its password."""
    assay.environment["ASSAY_DATABASE_URL"] = "postgresql://nobody:secret@127.0.0.1:9/none"
    told = assay.run("serve", "--port", "0", code=4).stderr
    assert "(database_unavailable) [ASSAY_DATABASE_URL]" in told
    assert "port 9 failed: Connection refused" in told
    assert "secret" not in told


BROKEN = """
import assay
from assay.engine.worker import Worker

client = assay.Client("broken")


async def fail(worker: Worker) -> None:
    raise ValueError("no")


Worker._maintain = fail


@client.function("f", on="go")
async def f(ctx: assay.Context) -> None: ...
"""

MORTAL = """
import os, pathlib, signal
import assay

client = assay.Client("mortal")


def die_once() -> str:
    mark = pathlib.Path(__file__).with_name("died")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@client.function("f", on="die")
async def f(ctx: assay.Context) -> str:
    return await ctx.step.run("die-once", die_once)
"""

PLANNED = """
import assay

client = assay.Client("app")
client.experiment("style", plan=assay.ExperimentPlan(primary="word", kind="boolean", days=28))


@client.function("f", on="go")
async def f(ctx: assay.Context) -> None:
    pass
"""


def test_a_worker_makes_its_plans_known(assay: Program, database: str) -> None:
    """Those of the code's experiments, before it says that it works."""
    (assay.directory / "app.py").write_text(PLANNED)
    with assay.start("worker", "app.py") as worker, psycopg.connect(database) as connection:
        worker.line("working")
        plans = connection.execute(
            "SELECT experiment, spec ->> 'primary' FROM assay.experiment_plans"
        )
        assert plans.fetchall() == [("style", "word")]
