"""Workers of a process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from secrets import SystemRandom
from typing import TYPE_CHECKING

from assay.app.database import keep_partitions, project_named
from assay.app.process import GRACE_S
from assay.clock import DatabaseClock
from assay.engine.options import WorkerOptions
from assay.engine.worker import Worker
from assay.ids import Ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from assay.sdk.client import Client
    from assay.settings import Settings

_log = logging.getLogger("assay")


@asynccontextmanager
async def working(
    url: str,
    settings: Settings,
    clients: Sequence[Client],
    *,
    source: str = "",
    concurrency: int | None = None,
    on_broken: Callable[[], None] | None = None,
) -> AsyncIterator[None]:
    """A worker for each client, until the block ends.

    A function that is gone from its *source*, the files that the clients are from, is retired.
    *on_broken* is called when a worker has met a fault that leaves it of no use.

    Raises:
        AssayError: `project_not_found`.
    """
    project = await project_named(url, settings.project)
    options = WorkerOptions(
        source=source,
        author=settings.author,
        lease_s=settings.lease_s,
        heartbeat_s=settings.heartbeat_s,
        max_steps=settings.limits.run_steps,
        max_output_bytes=settings.limits.step_output_bytes,
        max_promises=settings.limits.run_defers,
    )
    if concurrency is not None:
        options = replace(options, concurrency=concurrency)
    if on_broken is not None:
        options = replace(options, on_broken=on_broken)
    async with contextlib.AsyncExitStack() as running:
        keeping = asyncio.create_task(keep_partitions(url))
        running.callback(keeping.cancel)
        for client in clients:
            clock = DatabaseClock()
            worker = Worker(
                url,
                client.functions,
                app=client.app_id,
                project=project,
                clock=clock,
                ids=Ids(clock),
                chance=SystemRandom().random,
                options=replace(options, plans=client.plans),
                learns=clock,
                listen_url=settings.database_listen_url,
            )
            await worker.start()
            running.push_async_callback(_stop, worker, options.grace_s + GRACE_S)
        yield


async def _stop(worker: Worker, patience_s: float) -> None:
    """Stop a worker in order, or leave it: others take its runs over when its lease is out."""
    try:
        async with asyncio.timeout(patience_s):
            await worker.stop()
    except TimeoutError:
        _log.warning("the worker of %s did not stop in %g s and is left", worker.app, patience_s)
