"""`.json` and `.csv` of a page: the API's own answer, and the same rows as a table."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from starlette.responses import RedirectResponse, Response, StreamingResponse

from assay.dashboard.asking import part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from assay.dashboard.asking import Ask
    from assay.dashboard.local_api import Answered
    from assay.dashboard.page import Page

    Respond = Callable[[Ask], Awaitable[Response]]

MAX_ROWS = 100_000
_PAGE = 500
_UNSAFE = re.compile(r"[^\w .()-]", re.ASCII)
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


async def as_json(ask: Ask) -> Response:
    """What the API answers to the same query, untouched."""
    return _passed(await ask.api.answer("GET", ask.api_path(), ask.api_query().items()))


async def as_csv(ask: Ask) -> Response:
    """All rows of the list from the query's cursor on, `MAX_ROWS` at most, in the API's fields.

    A record is one row. What is a list or an object stands in its cell as JSON; a text that a
    spreadsheet would take for a formula gets an apostrophe before it.
    """
    query = ask.api_query() | {"limit": str(_PAGE)}
    first = await ask.api.answer("GET", ask.api_path(), query.items())
    if _is_record(first):
        del query["limit"]
        first = await ask.api.answer("GET", ask.api_path(), query.items())
    if first.status >= HTTPStatus.BAD_REQUEST:
        return _passed(first)
    headers = {"Content-Disposition": f"attachment; {_file_name(ask.path)}"}
    return StreamingResponse(_lines(ask, query, first), media_type="text/csv", headers=headers)


def of(page: Page, ending: str, respond: Respond) -> Respond:
    """What answers to a page's path with this ending.

    A name may itself end so, and people type it as it is: where nothing is called what stands
    before the ending, but something all of it, that has a page, which it leads to.
    """
    if not page.path.endswith("}"):
        return respond

    async def answer(ask: Ask) -> Response:
        response = await respond(ask)
        if response.status_code != HTTPStatus.NOT_FOUND:
            return response
        *others, (name, value) = ask.params.items()
        whole = replace(ask, params={**dict(others), name: value + ending})
        found = await ask.api.answer("GET", whole.api_path(), ask.api_query().items())
        if found.status >= HTTPStatus.BAD_REQUEST:
            return response
        path = page.path.format(**{name: part(value) for name, value in whole.params.items()})
        return RedirectResponse(ask.url(path, **ask.query), HTTPStatus.SEE_OTHER)

    return answer


def _file_name(path: str) -> str:
    """What a download is called by the path that was asked for: whatever is in it, one ending."""
    parts = path.removesuffix(".csv").strip("/").split("/")
    name = "-".join(unquote(part) for part in parts).removesuffix(".csv") or "overview"
    safe = _UNSAFE.sub("_", name)
    plain = f'filename="{safe}.csv"'
    return plain if safe == name else f"{plain}; filename*=UTF-8''{quote(name, safe='')}.csv"


async def _lines(ask: Ask, query: dict[str, object], first: Answered) -> AsyncIterator[str]:
    answered, columns, count = first, None, 0
    while count < MAX_ROWS:
        body = json.loads(answered.body)
        # An event has data too, but only a list has a next page.
        rows = body["data"] if "next" in body else [body]
        if columns is None and rows:
            columns = list(rows[0])
            yield _line(columns)
        for row in rows:
            yield _line([_cell(row.get(column)) for column in columns or ()])
        count += len(rows)
        if not body.get("next"):
            break
        query["cursor"] = body["next"]
        answered = await ask.api.answer("GET", ask.api_path(), query.items())
        if answered.status >= HTTPStatus.BAD_REQUEST:
            # Half a table must not look like a whole one.
            raise RuntimeError("a page of the list could not be read")


def _is_record(answered: Answered) -> bool:
    """Whether it was refused because only lists have a limit."""
    if answered.status < HTTPStatus.BAD_REQUEST:
        return False
    return bool(json.loads(answered.body).get("field") == "limit")


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode("utf-8", "backslashreplace").decode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULAS) else value
    return json.dumps(value, ensure_ascii=False)


def _passed(answered: Answered) -> Response:
    is_good = answered.status < HTTPStatus.BAD_REQUEST
    kind = "application/json" if is_good else "application/problem+json"
    return Response(answered.body, status_code=answered.status, media_type=kind)
