"""The API, asked within this process on behalf of whoever looks: one meaning for every query."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import unquote, urlencode

from pydantic import BaseModel

from assay.access.principals import PRINCIPAL
from assay.dashboard.texts import parameter, without_surrogates
from assay.errors import AssayError
from assay.wire.base import Page
from assay.wire.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Scope

    from assay.access.principals import Principal

PREFIX = "/api/v1/"
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the API: its status, and its body as it is."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A page of a list: its items, and the cursor of the next page or None."""

    items: list[T]
    next: str | None


class RefusedError(AssayError):
    """What the API refused, with the status that it gave."""

    def __init__(self, error: AssayError, status: int) -> None:
        super().__init__(error.message, code=error.code, field=error.field, hint=error.hint)
        self.status = status


class LocalApi:
    """The API as one principal sees it."""

    def __init__(self, app: ASGIApp, principal: Principal) -> None:
        self._app = app
        self._principal = principal

    async def get(self, model: type[M], path: str, query: Iterable[tuple[str, object]] = ()) -> M:
        """What is at a path below `/api/v1/`; `RefusedError` where the API gives a problem."""
        return model.model_validate(_json(await self.answer("GET", path, query)))

    async def items(
        self, model: type[M], path: str, query: Iterable[tuple[str, object]] = ()
    ) -> Listed[M]:
        """A page of a list."""
        found = _Items.model_validate(_json(await self.answer("GET", path, query)))
        return Listed([model.model_validate(item) for item in found.data], found.next)

    async def post(self, model: type[M], path: str, body: object) -> M:
        """What the API says to a request with this JSON body."""
        return model.model_validate(_json(await self.answer("POST", path, body=body)))

    async def answer(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, object]] = (),
        *,
        body: object = None,
    ) -> Answered:
        """The answer as it is, good or not; *path* is percent-encoded."""
        sent = b"" if body is None else _sent(body)
        pairs = [(name, parameter(value)) for name, value in query if value is not None]
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(self._scope(method, PREFIX + path, pairs), receive, send)
        return Answered(
            messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])
        )

    def _scope(self, method: str, path: str, pairs: list[tuple[str, str]]) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": urlencode(pairs, errors="surrogatepass").encode(),
            "root_path": "",
            "headers": [(b"content-type", b"application/json")],
            "client": None,
            "server": None,
            "state": {},
            PRINCIPAL: self._principal,
        }


def _sent(body: object) -> bytes:
    """A body as JSON; `bad_json`."""
    try:
        return json.dumps(body).encode()
    except RecursionError as error:
        raise AssayError(
            "this is nested too deeply to be sent",
            code="bad_json",
            hint="write the deep part as text",
        ) from error


def _json(answered: Answered) -> object:
    value = json.loads(answered.body)
    if answered.status >= HTTPStatus.BAD_REQUEST:
        raise RefusedError(Problem.model_validate(value).to_error(), answered.status)
    # Pydantic takes no text that UTF-8 can't hold, and nor does a page.
    return without_surrogates(value) if rb"\ud" in answered.body else value


_Items = Page[object]
