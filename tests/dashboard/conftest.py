"""Fixtures of the dashboard's tests without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dashboard_server import DashboardServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def dash(assay_database: str) -> Iterator[DashboardServer]:
    """A server in development with the dashboard, on a database of this test's own."""
    with DashboardServer(assay_database) as server:
        yield server


@pytest.fixture
def locked(assay_database: str) -> Iterator[DashboardServer]:
    """The same where keys are wanted."""
    with DashboardServer(assay_database, dev=False) as server:
        yield server
