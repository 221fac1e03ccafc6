"""Numbered forward migrations: tables once, functions with every version of the code."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg

from assay.errors import AssayError
from assay.store import partitions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assay.store.pool import Conn

_LOCK = 0x61737361


def statements(script: str) -> Iterator[str]:
    """The statements of a script: they end at a `;` at a line's end, outside `$$` bodies."""
    pending: list[str] = []
    in_body = False
    for line in script.splitlines(keepends=True):
        pending.append(line)
        if line.count("$$") % 2:
            in_body = not in_body
        if not in_body and line.rstrip().endswith(";"):
            yield "".join(pending)
            pending = []
    if "".join(pending).strip():
        yield "".join(pending)


def _scripts(folder: str) -> list[tuple[str, str]]:
    room = files("assay.store") / folder
    return sorted((f.name, f.read_text()) for f in room.iterdir() if f.name.endswith(".sql"))


def code_version() -> int:
    """The schema version that this code knows: the number of the last migration, plus one."""
    return int(_scripts("schema")[-1][0][:4]) + 1


def migrate(connection: Conn, *, now: datetime) -> int:
    """Bring the database to this code's version; gives the version.

    Safe to call from many processes at once: one migrates, the others wait for it.

    Raises:
        AssayError: `schema_newer` when the database was migrated by newer code,
            `database_rights` where the account may not do what a migration does.
    """
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        return _migrate_locked(connection, now)
    except psycopg.errors.InsufficientPrivilege as error:
        raise AssayError(
            f"this account may not set the database up: {error.diag.message_primary}",
            code="database_rights",
            field="ASSAY_DATABASE_URL",
            hint="let it own the database and give it CREATEROLE, "
            "or make the role assay_api beforehand and grant it to the account",
        ) from error
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _migrate_locked(connection: Conn, now: datetime) -> int:
    connection.execute("CREATE SCHEMA IF NOT EXISTS assay")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS assay.schema_versions"
        " (version int PRIMARY KEY, functions text NOT NULL, at timestamptz NOT NULL)"
    )
    row = connection.execute(
        "SELECT version, functions FROM assay.schema_versions ORDER BY version DESC LIMIT 1"
    ).fetchone()
    current, functions = (int(row[0]), str(row[1])) if row else (0, "")
    target = code_version()
    if current > target:
        raise AssayError(
            f"the database has schema version {current}, this code knows up to {target}",
            code="schema_newer",
            hint="install the newer release of assay, or use another database",
        )
    scripts = _scripts("functions")
    digest = hashlib.sha256("".join(text for _, text in scripts).encode()).hexdigest()
    if current == target and functions == digest:
        partitions.add(connection, now)
        return target
    with connection.transaction():
        connection.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
        for name, script in _scripts("schema"):
            if int(name[:4]) >= current:
                for statement in statements(script):
                    connection.execute(statement)
        for _, script in scripts:
            for statement in statements(script):
                connection.execute(statement)
        connection.execute(
            "INSERT INTO assay.schema_versions (version, functions, at) VALUES (%s, %s, %s)"
            " ON CONFLICT (version) DO UPDATE SET functions = excluded.functions, at = excluded.at",
            (target, digest, now),
        )
    partitions.add(connection, now)
    return target
