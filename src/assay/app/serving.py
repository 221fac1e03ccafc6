"""The API and the dashboard, served."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import override

from assay.access.binding import needs_keys
from assay.api.app import create_app
from assay.app.database import keep_partitions
from assay.app.process import GRACE_S
from assay.dashboard.site import add_dashboard
from assay.errors import AssayError
from assay.store.pool import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from assay.settings import Settings

_BACKLOG = 2048


@asynccontextmanager
async def serving(
    url: str, settings: Settings, *, host: str, port: int, targets: Sequence[str] = ()
) -> AsyncIterator[str]:
    """The API and the dashboard, from when they answer until the block ends; gives its address.

    *targets* are the files that a worker beside it runs, for pages that teach.

    Raises:
        AssayError: `keys_required`, `port_in_use`, `host_invalid`.
    """
    async with await connect(url) as connection:
        is_open = not await needs_keys(connection, host)
    with _listening(host, port) as listener:
        app = create_app(
            database_url=url, limits=settings.limits, dev=is_open, lease_s=settings.lease_s
        )
        site = add_dashboard(app, app.state.services, targets=targets)
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
        keeping = asyncio.create_task(keep_partitions(url))
        try:
            await server.is_up.wait()
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{listener.getsockname()[1]}"
        finally:
            site.live.close()
            server.should_exit = True
            keeping.cancel()
            await task


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
