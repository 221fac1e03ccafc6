"""Tests of durable functions: in process, on a real PostgreSQL, with a clock that stands still.

A `Sandbox` runs a client's functions in the test's own process. Events go through the real
ingest, runs through the real engine, and what is read comes from the real API; only time is made:
it moves when the test says so, so retries, sleeps and timeouts of a week take milliseconds.

    async with Sandbox(client, database_url=url) as box:
        sent = await client.send(assay.Event("support/ticket.created", {"ticketId": "tk_1"}))
        run = await box.finished(sent.run_ids[0])
        await box.advance("7d")                 # what falls due on the way runs at its instant
        assert (await box.run(run.id)).outcomes[0].state == "timed_out"

`box.crash_after(commit=n)` lets the process die right after a commit, without a trace; a new worker
takes over. Each test gets a database of its own from `Databases`, or by the fixtures of
`assay.testing.fixtures` (`pytest_plugins = ["assay.testing.fixtures"]`). Tests that are not async
use `SyncSandbox`, which has the same methods.
"""

from __future__ import annotations

from assay.testing.databases import Databases
from assay.testing.sandbox import Sandbox
from assay.testing.sync import SyncSandbox

__all__ = ["Databases", "Sandbox", "SyncSandbox"]
