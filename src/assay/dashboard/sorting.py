"""The order of a table that is whole on its page: `?sort=runs`, or `?sort=-runs` from the greatest.

Lists that go on for pages have the orders that their API serves; these are put in order here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from pydantic import BaseModel

    from assay.dashboard.asking import Ask
    from assay.dashboard.local_api import Listed

    Key: TypeAlias = str | float | datetime | None

M = TypeVar("M", bound="BaseModel")
T = TypeVar("T")

SORT = "sort"
MOST = 200
"""Rows of a table that is put in order."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """By which column a table is in order; None: as the list comes."""

    name: str | None
    is_descending: bool = False

    def of(self, rows: Iterable[T], columns: Mapping[str, Callable[[T], Key]]) -> list[T]:
        """The rows in order; those without a value are the last either way.

        Raises:
            AssayError: `bad_filter`: there is no such column.
        """
        if self.name is None:
            return [*rows]
        if self.name not in columns:
            raise AssayError(
                f"no column {self.name!r} to sort by",
                code="bad_filter",
                field=SORT,
                hint=f"choose from {', '.join(columns)}, or one with - before it",
            )
        column = columns[self.name]
        valued: list[tuple[Key, T]] = []
        rest: list[T] = []
        for row in rows:
            value = column(row)
            if value is None:
                rest.append(row)
            else:
                valued.append((value, row))
        by = self.is_descending
        valued.sort(key=lambda one: one[0], reverse=by)  # type: ignore[arg-type, return-value]  # a column has one type
        return [*(row for _, row in valued), *rest]


def asked(ask: Ask) -> Sorting:
    """What the query asks for."""
    text = ask.query.get(SORT)
    return Sorting(None) if text is None else Sorting(text.lstrip("-"), text.startswith("-"))


async def items(ask: Ask, model: type[M], sorting: Sorting) -> Listed[M]:
    """This page's list: all of it, where it is to be put in order.

    Raises:
        AssayError: `order_too_wide`: it has more rows than are put in order; `bad_cursor`: of
            pages in another order.
    """
    if sorting.name is None:
        return await ask.items(model)
    if "cursor" in ask.query:
        raise AssayError(
            "a sorted table has one page: cursor is none of it",
            code="bad_cursor",
            field="cursor",
            hint="leave out either sort or cursor",
        )
    found = await ask.items(model, limit=MOST)
    if found.next is not None:
        raise AssayError(
            f"there are more than {MOST} rows: too many to put in order on a page",
            code="order_too_wide",
            field=SORT,
            hint="leave sort out, or sort the .csv",
        )
    return found
