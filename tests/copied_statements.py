"""Statements that pages offer, run as whoever pastes them into psql does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

if TYPE_CHECKING:
    from api_server import ApiServer
    from assay.store.turns import Row
    from html_pages import Element


def offered(page: Element) -> str:
    """The statements that a page offers, as its button copies them."""
    return page.one("pre", aria_label="SQL").exact


def results(server: ApiServer, statements: str) -> list[list[Row]]:
    """The rows of each of some statements, sent at once."""

    async def run() -> list[list[Row]]:
        async with server.connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statements.encode())
            found = [await cursor.fetchall()]
            while cursor.nextset():
                found.append(await cursor.fetchall())
            return found

    return server.run(run())


def rows(server: ApiServer, statement: str) -> list[dict[str, Any]]:
    """The rows of one."""
    (found,) = results(server, statement)
    return found
