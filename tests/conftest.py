"""Fixtures of all tests: one PostgreSQL a session, an empty database a test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from psycopg import sql

from assay.store import databases
from assay.store.embedded import EmbeddedPostgres
from assay.store.migrations import migrate
from assay.testing import Databases

if TYPE_CHECKING:
    from collections.abc import Iterator

# The main process of a test session makes the directory; its xdist workers inherit the name.
SHARED_DIR = "ASSAY_TEST_SHARED_DIR"
CITUS = "ASSAY_CITUS_URL"

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's own settings out of the tests, and make the shared directory."""
    if SHARED_DIR in os.environ:
        return
    for name in [name for name in os.environ if name.startswith("ASSAY_")]:
        if not name.startswith(("ASSAY_TEST_", "ASSAY_CITUS_")):
            del os.environ[name]
    shared = tempfile.mkdtemp(prefix="assay-tests-")
    os.environ[SHARED_DIR] = shared

    def clean_up() -> None:
        del os.environ[SHARED_DIR]
        shutil.rmtree(shared, ignore_errors=True)

    config.add_cleanup(clean_up)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a database, so that it can be run on other servers too."""
    for item in items:
        if isinstance(item, pytest.Function) and "postgres" in item.fixturenames:
            item.add_marker("any_postgres")
        # Without a cluster those tests have a plain server, and are marked for it alone.
        is_everywhere = item.get_closest_marker("one_server") is None
        names = getattr(item, "fixturenames", ())
        if os.environ.get(CITUS) and is_everywhere and "assay_database" in names:
            item.add_marker("citus")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what simulations measured, beside their limits."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
    ]
    lines = [
        f"{value}" for one in reports for name, value in one.user_properties if name == "measured"
    ]
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(sorted(lines)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server on which databases may be made, shared by all tests of a session.

    That is `ASSAY_TEST_DATABASE_URL` where it is set, else an embedded server.
    """
    given = os.environ.get("ASSAY_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with EmbeddedPostgres(Path(os.environ[SHARED_DIR], "postgres")) as server:
        with psycopg.connect(server.url, autocommit=True) as admin:
            # Each test makes a database; nothing here has to outlive a crash of the machine.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                admin.execute(f"ALTER SYSTEM SET {setting} = off")
            admin.execute("SELECT pg_reload_conf()")
        yield server.url


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of a new, empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        # Copying through the WAL is half as slow as copying files, which needs checkpoints.
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY wal_log").format(
                sql.Identifier(name)
            )
        )
    yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def assay_databases(postgres: str) -> Iterator[Databases]:
    """Databases with Assay's tables, of this process."""
    with Databases(postgres) as databases:
        yield databases


@pytest.fixture(scope="session")
def citus() -> str:
    """The database of the cluster that `ASSAY_CITUS_URL` names, with new tables.

    There is one, for making another takes each node a while: its tests run one after another.
    """
    url = os.environ[CITUS]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS assay, insights CASCADE")
        migrate(connection, now=datetime.now(UTC))
    return url


@pytest.fixture
def assay_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with Assay's tables, empty and this test's own."""
    if os.environ.get(CITUS):
        url = request.getfixturevalue("citus")
        databases.empty(url)
        yield url
        return
    with request.getfixturevalue("assay_databases").new() as url:
        yield url


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory for an embedded server of this test's own, with a path of usual length."""
    with tempfile.TemporaryDirectory(prefix="assay-test-") as directory:
        yield Path(directory, ".assay")
