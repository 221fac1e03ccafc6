"""Fixtures of the API's tests."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from api_server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def api(assay_database: str) -> Iterator[ApiServer]:
    """A server in development on a database of this test's own."""
    with ApiServer(assay_database) as server:
        yield server


@pytest.fixture
def unused_tcp_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
