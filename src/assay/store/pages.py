"""Pages of a list: keyset cursors, the parts of a query that filters add, rows as records."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast
from uuid import UUID

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from psycopg import AsyncCursor

    from assay.store.turns import Row

Reading: TypeAlias = "AsyncCursor[dict[str, object]]"
"""A cursor of `pool.ReadPool.reading`: one project, row security on."""

T = TypeVar("T")
R = TypeVar("R")

_KINDS: dict[type, Callable[[Any], object]] = {
    UUID: UUID,
    str: str,
    int: int,
    datetime: datetime.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records of a list and the cursor of the next page, None at the end."""

    items: list[T]
    next: str | None

    def map(self, change: Callable[[T], R]) -> Page[R]:
        """The same page of other things."""
        return Page([change(item) for item in self.items], self.next)


def page_of(of: str, items: list[T], limit: int, key: Callable[[T], Sequence[object]]) -> Page[T]:
    """The page of what was read with a limit of one more than asked for."""
    if len(items) <= limit:
        return Page(items, None)
    return Page(items[:limit], encode(of, key(items[limit - 1])))


def encode(of: str, key: Sequence[object]) -> str:
    """The opaque text of a key in the list of that name."""
    parts = [part.isoformat() if isinstance(part, datetime) else part for part in (of, *key)]
    text = json.dumps(parts, separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(of: str, cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The key in a cursor of the list of that name, as values of these kinds.

    Raises:
        AssayError: `bad_cursor`: it is none, or that of another list, whose keys mean others.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(parts, list) and parts[:1] == [of]:
            return [_part(kind, part) for kind, part in zip(kinds, parts[1:], strict=True)]
    except (ValueError, TypeError, RecursionError):
        pass
    raise AssayError(
        "cursor is none of this list",
        code="bad_cursor",
        field="cursor",
        hint="pass the `next` of the page before, unchanged, or leave it out to start again",
    )


def _part(kind: type, part: object) -> object:
    if kind is int and (isinstance(part, bool) or not isinstance(part, int)):
        raise TypeError
    if kind is not int and not isinstance(part, str):
        raise TypeError
    return _KINDS[kind](part)


def compose(parts: Iterable[str]) -> str:
    """One statement of named parts."""
    return "\n".join(parts)


async def fetch(cursor: Reading, query: str, values: Mapping[str, object]) -> list[Row]:
    """All rows of a query as dicts."""
    await cursor.execute(query, values)
    return cast("list[Row]", await cursor.fetchall())
