"""A database for each test: copied from a template that is migrated once."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from assay.clock import DatabaseClock
from assay.store import databases
from assay.store.migrations import migrate
from assay.store.pool import connect_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType


class Databases:
    """Makes databases with Assay's tables on a server; as a context manager it drops the template.

    Args:
        server_url: of a database on a server where databases may be made.
    """

    def __init__(self, server_url: str) -> None:
        self._server = server_url
        self._template = ""

    def __enter__(self) -> Self:
        self._template = f"assay_template_{secrets.token_hex(8)}"
        url = databases.create(self._server, self._template)
        with connect_blocking(url) as connection:
            migrate(connection, now=DatabaseClock().now())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        databases.drop(self._server, self._template)

    @contextmanager
    def new(self) -> Iterator[str]:
        """The URL of a new database, dropped at the end of the block."""
        name = f"assay_test_{secrets.token_hex(8)}"
        yield databases.create(self._server, name, template=self._template)
        databases.drop(self._server, name)
