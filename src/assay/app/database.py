"""The database of a process, brought to this code's schema, and kept ready."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from assay.access.services import unavailable
from assay.clock import DatabaseClock
from assay.errors import AssayError
from assay.store import keys, partitions
from assay.store.embedded import database_url
from assay.store.migrations import migrate
from assay.store.pool import connect, connect_blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.settings import Settings

_log = logging.getLogger("assay")

PARTITIONS_S = 6 * 3600.0


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


async def keep_partitions(url: str) -> None:
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
