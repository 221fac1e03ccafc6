"""A project in which something of everything has happened, hostile texts among it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api_server import failure, memo
from assay.ids import parse, step_key

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

ARABIC = "\N{ARABIC LETTER SEEN}\N{ARABIC LETTER ALEF}"
HOSTILE = f"<script>alert('x')</script>\"\u202egnp.exe {ARABIC} \N{ROBOT FACE}"
LONG = "a-name-that-goes-on-" * 10
SESSIONS = {"ticket": HOSTILE, "account": "acct_42"}


def fill(server: DashboardServer) -> None:
    """Runs of each status, with steps, scores, promises, a variant, an error and odd texts."""
    server.register("answer")
    server.register(LONG, event="long")
    server.register(HOSTILE, event="hostile")
    for place in range(12):
        run = server.start(data={"question": HOSTILE, "n": place}, sessions=SESSIONS)
        finish(server, run, place)
    server.claim(server.start(sessions=SESSIONS))
    parked = server.start()
    server.claim(parked)
    server.park(parked)
    server.start()
    for name in ("long", "hostile"):
        server.finish(server.start(name=name), output=json.dumps(HOSTILE * 50))


def finish(server: DashboardServer, run: str, place: int) -> None:
    """End a run: every fourth one failed."""
    server.claim(run)
    started = server.clock.now()
    server.clock.advance(timedelta(milliseconds=300 + 70 * place))
    middle = server.clock.now()
    times: dict[str, Any] = {"started_at": started, "ended_at": middle}
    messages = [{"role": "user", "content": HOSTILE}]
    call = {"function": {"name": "find_user", "arguments": json.dumps({"name": HOSTILE})}}
    answer = {"role": "assistant", "content": "One moment", "tool_calls": [call]}
    has_failed = place % 4 == 3
    error = failure("ToolError", f"no such user: {HOSTILE}", traceback="Traceback\n  line 1")
    server.insert(
        "journal",
        memo(run, "chat", 1, span=1000 * place + 1, **times)
        | {"input": json.dumps({"args": [messages]}), "output": json.dumps(answer)},
        memo(run, "wait-for-approval", 2, kind="wait", span=1000 * place + 2, **times),
        memo(run, HOSTILE, 3, span=1000 * place + 3, **times)
        | {"error": error if has_failed else None, "attempts": 2},
    )
    server.insert(
        "attempts",
        {
            "run_id": parse(run),
            "step": step_key(HOSTILE, 0),
            "attempt": 1,
            "name": HOSTILE,
            "idx": 0,
            "error": failure("Timeout", HOSTILE),
            "worker_id": server.worker,
            "span": 1000 * place + 3,
            "started_at": started,
            "ended_at": middle,
        },
    )
    server.finish(
        run,
        "failed" if has_failed else "completed",
        output=None if has_failed else json.dumps({"answer": HOSTILE, "long": "word " * 200}),
        error=error if has_failed else None,
    )
    server.post("scores", {"name": "clear", "value": place % 3 != 0, "run_id": run})
    server.post(
        "scores",
        {
            "name": "length <b>in words</b>",
            "value": 0.1 * place,
            "run_id": run,
            "author": HOSTILE,
            "rationale": HOSTILE,
        },
    )
    server.promise(run, "liked", "pending" if place % 2 else "timed_out")
