"""Fixtures for pytest: `pytest_plugins = ["assay.testing.fixtures"]` in a `conftest.py`.

`assay_database` is the URL of a new database a test; `assay_server` may be overridden to use a
server of one's own in place of an embedded one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assay.store.embedded import EmbeddedPostgres
from assay.testing.databases import Databases

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def assay_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server on which databases may be made: an embedded one."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("assay") / "postgres") as server:
        yield server.url


@pytest.fixture(scope="session")
def assay_databases(assay_server: str) -> Iterator[Databases]:
    """Makes databases from a template that is migrated once a session."""
    with Databases(assay_server) as databases:
        yield databases


@pytest.fixture
def assay_database(assay_databases: Databases) -> Iterator[str]:
    """The URL of a new database with Assay's tables, of this test's own."""
    with assay_databases.new() as url:
        yield url
