"""Asking the API: over HTTP where `ASSAY_URL` is set, else in process on the data directory."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

from assay.errors import AssayError
from assay.model import json_text
from assay.settings import Settings
from assay.wire.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    from assay.cli.printing import Item

T = TypeVar("T")

TIMEOUT_S = 90.0
PAGE = 500
_JSON = {"Content-Type": "application/json"}


class Api:
    """The API as commands see it."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **parameters: object) -> Item:
        """What is at a path; parameters that are None are left out."""
        return await self._ask("GET", path, parameters=parameters)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Item:
        """The answer to a request."""
        return await self._ask("POST", path, body=body)

    async def items(self, path: str, limit: int, **parameters: object) -> list[Item]:
        """The first items of a list, over as many pages as that takes."""
        found: list[Item] = []
        cursor: str | None = None
        while len(found) < limit:
            page = await self.get(
                path, limit=min(limit - len(found), PAGE), cursor=cursor, **parameters
            )
            found += page["data"]
            cursor = page["next"]
            if cursor is None:
                break
        return found

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, object] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Item:
        given = {
            name: _text(value) for name, value in (parameters or {}).items() if value is not None
        }
        # Exact, with lone surrogates, which a body made by httpx2 can't hold.
        content = None if body is None else json_text.dump(body).encode()
        try:
            response = await self._http.request(
                method, f"/api/v1{path}", params=given, content=content, headers=_JSON
            )
        except httpx2.TransportError as error:
            raise AssayError(
                f"the API at {self._http.base_url} can't be reached: "
                f"{str(error) or type(error).__name__}",
                code="api_unreachable",
                field="ASSAY_URL",
                hint="start `assay dev` or `assay serve` there, or leave ASSAY_URL out",
            ) from error
        if response.is_success:
            answer: Item = response.json()
            return answer
        raise _refusal(response)


def ask(question: Callable[[Api], Coroutine[object, object, T]], settings: Settings) -> T:
    """What the API answers to a question of one or several requests."""

    async def answered(url: str | None) -> T:
        async with _api(settings, url) as api:
            return await question(api)

    if settings.url is not None:
        return asyncio.run(answered(None))
    from assay.app.database import database  # noqa: PLC0415 - asking over HTTP needs none

    if settings.database_url is None and not settings.data_dir.is_dir():
        raise AssayError(
            f"there is no data in {settings.data_dir}",
            code="no_data",
            field="ASSAY_DATA_DIR",
            hint="start `assay dev app.py` here, go where it runs, or set ASSAY_URL",
        )
    with database(settings) as url:
        return asyncio.run(answered(url))


@asynccontextmanager
async def _api(settings: Settings, database: str | None) -> AsyncIterator[Api]:
    if database is None:
        assert settings.url is not None
        key = settings.api_key
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(
            base_url=settings.url, headers=headers, timeout=TIMEOUT_S
        ) as http:
            yield Api(http)
        return
    from assay.app.private import private_api  # noqa: PLC0415 - a second that HTTP needs not

    served = await private_api(database, settings)
    transport = httpx2.ASGITransport(served, raise_app_exceptions=False)
    async with (
        served.app.router.lifespan_context(served.app),
        httpx2.AsyncClient(base_url="http://127.0.0.1", transport=transport) as http,
    ):
        yield Api(http)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(response: httpx2.Response) -> AssayError:
    try:
        return Problem.model_validate(response.json()).to_error()
    except ValueError:
        return AssayError(
            f"the API answered {response.status_code} {HTTPStatus(response.status_code).phrase}",
            code="api_error",
            field="ASSAY_URL",
            hint="is ASSAY_URL the address of an Assay API?",
        )
