"""Laying a statement out: its clauses on lines, its values as literals that any text survives."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from psycopg import sql

from assay.errors import AssayError
from assay.ids import to_text
from assay.store.pages import decode
from assay.store.runs import ID_MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import LiteralString

    from psycopg.sql import Composable

MOST_ROWS = 1_000
"""A statement gives so many rows, for whoever pastes it to change."""


def clause(text: LiteralString, *values: object) -> Composable:
    """SQL with literals in place of each `{}`."""
    return sql.SQL(text).format(*map(literal, values))


def given(text: LiteralString, value: object) -> Iterator[Composable]:
    """A condition on a value, none where there is no value."""
    if value is not None:
        yield clause(text, value)


def following(
    of: str, key: LiteralString, after: str | None, kinds: Sequence[type]
) -> Iterator[Composable]:
    """What comes after a cursor in a list whose greatest key is first.

    Args:
        of: the list's name in its cursors.
        key: its columns.
        after: the cursor, None for the first page.
        kinds: of the key's values.
    """
    if after is not None:
        values = sql.SQL(", ").join(map(literal, decode(of, after, kinds)))
        yield sql.SQL("({}) < ({})").format(sql.SQL(key), values)


def queued(
    after: datetime | None, before: datetime | None, uuid: LiteralString = "uuid"
) -> Iterator[Composable]:
    """When runs were queued: `after` inclusive, `before` exclusive.

    Args:
        after: the first instant, None for any.
        before: the instant after the last, None for any.
        uuid: the column with the run's id, which is made within an hour of that and says which
            partitions are read.
    """
    if after is not None:
        yield clause("queued_at >= {}", after)
        yield clause(uuid + " >= insights.first_uuid({})", after - ID_MARGIN)
    if before is not None:
        yield clause("queued_at < {}", before)
        yield clause(uuid + " < insights.first_uuid({})", before + ID_MARGIN)


def literal(value: object) -> Composable:
    """A value as it stands in a statement: an id as pages show it, an instant in UTC.

    Raises:
        AssayError: `bad_filter`: a text that no column holds.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, UUID):
        return sql.SQL("insights.uuid_of({})").format(sql.Literal(to_text(value)))
    if isinstance(value, datetime):
        return sql.Literal(f"{value.astimezone(UTC).replace(tzinfo=None)}Z")
    return sql.Literal(value)


def _text(text: str) -> Composable:
    """Text; characters that don't show are written by their number.

    So a statement stays what it was through a terminal, a page and a clipboard.
    """
    pieces: list[Composable] = []
    for shows, run in groupby(text, str.isprintable):
        if shows:
            pieces.append(sql.Literal("".join(run)))
        else:
            pieces += [sql.SQL("chr({})").format(sql.Literal(_number(each))) for each in run]
    if len(pieces) < 2:  # noqa: PLR2004 - one piece needs no joining
        return pieces[0] if pieces else sql.Literal("")
    return sql.SQL("({})").format(sql.SQL(" || ").join(pieces))


def _number(character: str) -> int:
    number = ord(character)
    if number == 0 or 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 - surrogates
        raise AssayError(
            f"no column of text holds U+{number:04X}",
            code="bad_filter",
            hint="leave it out: nothing that is stored has it",
        )
    return number


def statement(
    select: LiteralString,
    of: LiteralString | Composable,
    *,
    where: Iterable[Composable],
    order: LiteralString,
    group: LiteralString | None = None,
    having: Iterable[Composable] = (),
    limit: int | None = MOST_ROWS,
    about: LiteralString | None = None,
) -> str:
    """A whole statement, its end included; `about` stands above it."""
    conjunction = sql.SQL("\n  AND ")
    clauses: list[Composable] = [] if about is None else [sql.SQL("-- " + about)]
    clauses += [
        sql.SQL("SELECT " + select),
        sql.SQL("FROM ") + (sql.SQL(of) if isinstance(of, str) else of),
    ]
    conditions = list(where)
    if conditions:
        clauses.append(sql.SQL("WHERE ") + conjunction.join(conditions))
    if group is not None:
        clauses.append(sql.SQL("GROUP BY " + group))
    filters = list(having)
    if filters:
        clauses.append(sql.SQL("HAVING ") + conjunction.join(filters))
    clauses.append(sql.SQL("ORDER BY " + order))
    if limit is not None:
        clauses.append(sql.SQL("LIMIT ") + sql.Literal(limit))
    return sql.SQL("\n").join(clauses).as_string(None) + ";"
