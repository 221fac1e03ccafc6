"""The same question for others: as curl and as Python for a program, as SQL for psql."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.dashboard.asking import address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.dashboard.asking import Ask


@dataclass(frozen=True, slots=True)
class Copied:
    """What is asked to get what a page shows.

    Attributes:
        sql: None where there is nothing to ask for.
        is_from_here: whether the statement begins where the page of the list does.
    """

    curl: str
    python: str
    sql: str | None = None
    is_from_here: bool = False


def copied(
    ask: Ask,
    sql: str | None,
    *,
    path: str | None = None,
    query: Mapping[str, object] | None = None,
    is_from_here: bool = False,
) -> Copied:
    """The page's list or record, as the API is asked for it: by default what `.json` gives.

    Args:
        ask: of the page.
        sql: statements that give the rows that it shows.
        path: of the API, below `/api/v1/`, where the page is none of its lists or records.
        query: to that path.
        is_from_here: whether the statements begin where the page of the list does.
    """
    asked = ask.api_query() if query is None else query
    found = _copied(ask, sql, {"found": address(f"/api/v1/{path or ask.api_path()}", asked)})
    return replace(found, is_from_here=is_from_here)


def copied_each(ask: Ask, sql: str, paths: Mapping[str, str]) -> Copied:
    """Several records, each by a name and its path below `/api/v1/`."""
    return _copied(ask, sql, {name: f"/api/v1/{path}" for name, path in paths.items()})


def _copied(ask: Ask, sql: str | None, paths: Mapping[str, str]) -> Copied:
    wants_key = ask.key is not None
    curl = "curl " + ('-H "Authorization: Bearer $ASSAY_API_KEY" ' if wants_key else "")
    lines = ["import httpx2", ""]
    if wants_key:
        lines[:1] = ["import os", "", "import httpx2"]
        lines += [
            'key = os.environ["ASSAY_API_KEY"]',
            'headers = {"Authorization": f"Bearer {key}"}',
        ]
    urls = {name: ask.server + path for name, path in paths.items()}
    headers = ", headers=headers" if wants_key else ""
    lines += [f"{name} = httpx2.get({url!r}{headers}).json()" for name, url in urls.items()]
    curls = "\n".join(curl + shlex.quote(url) for url in urls.values())
    return Copied(curl=curls, python="\n".join(lines), sql=sql)
