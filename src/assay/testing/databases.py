"""A database for each test, used again by later ones: emptying it is much faster than making it."""

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
    """Databases with Assay's tables on a server; as a context manager it drops them.

    Args:
        server_url: of a database on a server where databases may be made.
    """

    def __init__(self, server_url: str) -> None:
        self._server = server_url
        self._made: dict[str, str] = {}
        self._idle: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in self._made:
            databases.drop(self._server, name)

    @contextmanager
    def new(self) -> Iterator[str]:
        """The URL of a database with empty tables that nobody else uses within the block."""
        name = self._idle.pop() if self._idle else self._make()
        url = self._made[name]
        yield url
        databases.empty(url)
        self._idle.append(name)

    def _make(self) -> str:
        name = f"assay_test_{secrets.token_hex(8)}"
        url = self._made[name] = databases.create(self._server, name)
        with connect_blocking(url) as connection:
            migrate(connection, now=DatabaseClock().now())
        return name
