"""What processes are made of: a database, the API, workers; started and stopped in good order.

Entry points: `database`, `serving`, `working`, `run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from secrets import SystemRandom
from typing import TYPE_CHECKING, NoReturn, TypeVar

import psycopg
import uvicorn
import uvloop
from typing_extensions import override

from assay.access.binding import needs_keys
from assay.access.principals import Principal
from assay.access.services import unavailable
from assay.api.app import create_app
from assay.api.asking import who
from assay.clock import DatabaseClock
from assay.dashboard.site import add_dashboard
from assay.engine.garbage import collect_less
from assay.engine.options import WorkerOptions
from assay.engine.worker import Worker
from assay.errors import AssayError
from assay.ids import Ids
from assay.store import keys, partitions
from assay.store.embedded import database_url
from assay.store.migrations import migrate
from assay.store.pool import connect, connect_blocking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence

    from fastapi import FastAPI

    from assay.sdk.client import Client
    from assay.settings import Settings

_log = logging.getLogger("assay")
T = TypeVar("T")

GRACE_S = 3
PARTITIONS_S = 6 * 3600.0
_BACKLOG = 2048


@contextmanager
def database(
    settings: Settings, *, on_progress: Callable[[str], None] | None = None
) -> Iterator[str]:
    """The URL of the database that the settings name, brought to this code's schema.

    Raises:
        AssayError: `database_unavailable`, `schema_newer`, those of the embedded PostgreSQL.
    """
    with database_url(settings, on_progress=on_progress) as url:
        try:
            connection = connect_blocking(url)
        except psycopg.OperationalError as error:
            raise _no_database(settings, error) from error
        with connection:
            migrate(connection, now=DatabaseClock().now())
        yield url


def _no_database(settings: Settings, error: psycopg.OperationalError) -> AssayError:
    if settings.database_url is None:
        return unavailable()
    # libpq says where it tried and what went wrong, without the password.
    return AssayError(
        f"the database can't be reached: {' '.join(str(error).split())}",
        code="database_unavailable",
        field="ASSAY_DATABASE_URL",
        hint="is the address right, and the server up?",
    )


@asynccontextmanager
async def serving(url: str, settings: Settings, *, host: str, port: int) -> AsyncIterator[str]:
    """The API and the dashboard, from when they answer until the block ends; gives its address.

    Raises:
        AssayError: `keys_required`, `port_in_use`, `host_invalid`.
    """
    async with await connect(url) as connection:
        is_open = not await needs_keys(connection, host)
    with _listening(host, port) as listener:
        app = create_app(
            database_url=url, limits=settings.limits, dev=is_open, lease_s=settings.lease_s
        )
        site = add_dashboard(app, app.state.services)
        server = _Server(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        task = asyncio.create_task(server.serve(sockets=[listener]))
        keeping = asyncio.create_task(_keep_partitions(url))
        try:
            await server.is_up.wait()
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{listener.getsockname()[1]}"
        finally:
            site.live.close()
            server.should_exit = True
            keeping.cancel()
            await task


async def private_api(url: str, settings: Settings) -> FastAPI:
    """The API for this process alone: without keys, and for the project of the settings."""
    principal = Principal(project=await project_named(url, settings.project))
    served = create_app(database_url=url, limits=settings.limits)
    served.dependency_overrides[who] = lambda: principal
    return served


@asynccontextmanager
async def working(
    url: str,
    settings: Settings,
    clients: Sequence[Client],
    *,
    source: str = "",
    concurrency: int | None = None,
) -> AsyncIterator[None]:
    """A worker for each client, until the block ends.

    A function that is gone from its *source*, the files that the clients are from, is retired.

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
    async with contextlib.AsyncExitStack() as running:
        keeping = asyncio.create_task(_keep_partitions(url))
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


async def _keep_partitions(url: str) -> None:
    """Have partitions ahead of time for as long as the process runs."""

    def keep() -> None:
        with connect_blocking(url) as connection:
            partitions.add(connection, DatabaseClock().now())

    while True:
        await asyncio.sleep(PARTITIONS_S)
        try:
            await asyncio.to_thread(keep)
        except psycopg.Error as error:
            _log.warning("partitions are made at the next look: %s", error)


async def _stop(worker: Worker, patience_s: float) -> None:
    """Stop a worker in order, or leave it: others take its runs over when its lease is out."""
    try:
        async with asyncio.timeout(patience_s):
            await worker.stop()
    except TimeoutError:
        _log.warning("the worker of %s did not stop in %g s and is left", worker.app, patience_s)


async def project_named(url: str, name: str) -> int:
    """The id of a project; `project_not_found` where there is none of that name."""
    async with await connect(url) as connection:
        project = await keys.project_named(connection, name)
    if project is None:
        raise AssayError(
            f"there is no project {name!r} in this database",
            code="project_not_found",
            field="ASSAY_PROJECT",
            hint="leave ASSAY_PROJECT out for the project `default`",
        )
    return project


async def unless(stop: asyncio.Event, work: Coroutine[object, object, T]) -> T | None:
    """What *work* gives, None where the process is to end before; then it is cancelled."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def run(main: Callable[[asyncio.Event], Coroutine[object, object, None]]) -> None:
    """Run a process on a fast event loop; its argument is set when the process is to end.

    SIGTERM and SIGINT set it, so that all that was started is stopped in order.
    """

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await main(stop)

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    collect_less()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_stopped())


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM unwind what blocks before the event loop runs, as SIGINT does."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Server(uvicorn.Server):
    """A server that says when it is up, and leaves signals to the process around it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise AssayError(
            f"{host!r} is no address of this machine",
            code="host_invalid",
            field="--host",
            hint="127.0.0.1 for this machine alone, 0.0.0.0 for all its networks",
        ) from error
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise AssayError(
                f"port {port} of {host} can't be listened on: {error.strerror}",
                code="port_in_use",
                field="--port",
                hint="stop what uses it, or take another with --port (0 takes a free one)",
            ) from error
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        yield listener
