"""Databases on a server: made, emptied for the next user, dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from psycopg import sql

from assay.store.pool import connect_blocking
from assay.store.queries import queries

if TYPE_CHECKING:
    from assay.store.pool import Conn

_SQL = queries("databases")


def create(server: str, name: str) -> str:
    """Make an empty database on the server of a URL; gives its own URL."""
    with connect_blocking(server) as admin:
        # Copying through the WAL is half as slow as copying files, which needs checkpoints.
        _execute(admin, "CREATE DATABASE {} TEMPLATE template0 STRATEGY wal_log", name)
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def drop(server: str, name: str) -> None:
    """Drop a database, whoever uses it."""
    with connect_blocking(server) as admin:
        _execute(admin, "DROP DATABASE {} WITH (FORCE)", name)


def empty(url: str) -> None:
    """Leave nothing in Assay's tables but what migrations put there; others are disconnected."""
    with connect_blocking(url) as connection:
        connection.execute(_SQL["disconnect"])
        connection.execute(_SQL["empty"])


def _execute(admin: Conn, statement: str, name: str) -> None:
    admin.execute(sql.SQL(statement).format(sql.Identifier(name)))
