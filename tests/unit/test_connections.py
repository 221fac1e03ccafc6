"""What a worker says while the database is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from assay.engine.connections import Connections

if TYPE_CHECKING:
    import pytest


def test_what_fails_is_told_once_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried several times a second; each kind of work has its own warning."""
    connections = Connections("postgresql://nowhere/x", "postgresql://nowhere/x")
    error = psycopg.OperationalError("refused")
    for what in ("a claim", "a claim", "a sweep", "a claim"):
        connections.failed(what, error)
    connections.works("a claim")
    connections.failed("a claim", error)

    assert [record.message.partition(" failed")[0] for record in caplog.records] == [
        "a claim",
        "a sweep",
        "a claim",
    ]
