"""Commands that work on the database itself, without a server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from assay.app.database import database, project_named
from assay.cli.options import settings_of
from assay.cli.printing import note
from assay.store.pool import connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from assay.store.pool import FullConn

T = TypeVar("T")


def on_database(data_dir: Path | None, act: Callable[[FullConn, int], Awaitable[T]]) -> T:
    """What `act` gives for a connection and the project of the settings."""
    settings = settings_of(data_dir)

    async def acted(url: str) -> T:
        project = await project_named(url, settings.project)
        async with await connect(url) as connection:
            return await act(connection, project)

    with database(settings, on_progress=note) as url:
        return asyncio.run(acted(url))
