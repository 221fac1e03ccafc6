"""The databases that tests get, on whichever server they run."""

from __future__ import annotations

import psycopg


def test_a_test_has_an_empty_database_of_its_own(postgres: str, database: str) -> None:
    """On PostgreSQL 15 or later, in UTF-8, without a table of anybody."""
    with psycopg.connect(database) as connection:
        assert connection.info.server_version >= 150_000
        assert connection.info.dbname != psycopg.conninfo.conninfo_to_dict(postgres)["dbname"]
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', %s)",
            ["information_schema"],
        ).fetchone()
        assert tables == (0,)
        connection.execute("CREATE TABLE here (n int)")


def test_the_next_test_sees_nothing_of_it(database: str) -> None:
    """Whatever the order is."""
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('here')").fetchone() == (None,)
