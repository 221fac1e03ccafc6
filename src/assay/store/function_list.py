"""Reading the functions that apps have registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.store.pages import Page, compose, decode, fetch, page_of
from assay.store.queries import queries

if TYPE_CHECKING:
    from datetime import datetime

    from assay.model.events import Json
    from assay.store.pages import Reading

_SQL = queries("function_list")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRecord:
    """A registered function; `triggers` and `options` are as its app declared them.

    Attributes:
        retired_at: since when it is gone from the app's code; events don't start it.
    """

    app: str
    fn: str
    kind: str
    version: str
    triggers: Json
    options: Json
    registered_at: datetime
    retired_at: datetime | None


async def page(
    cursor: Reading, *, project: int, limit: int, after: str | None = None
) -> Page[FunctionRecord]:
    """A page of functions by app and id."""
    values: dict[str, object] = {"project": project, "limit": limit + 1}
    parts = ["list"]
    if after is not None:
        parts.append("after")
        values["after_app"], values["after_fn"] = decode("functions", after, (str, str))
    rows = await fetch(cursor, compose(_SQL[part] for part in (*parts, "by_id")), values)
    return page_of(
        "functions", [FunctionRecord(**row) for row in rows], limit, lambda f: (f.app, f.fn)
    )


async def find(cursor: Reading, *, project: int, app: str, fn: str) -> FunctionRecord | None:
    """One function, None where there is none."""
    values = {"project": project, "app": app, "fn": fn}
    rows = await fetch(cursor, compose((_SQL["list"], _SQL["one"])), values)
    return FunctionRecord(**rows[0]) if rows else None
