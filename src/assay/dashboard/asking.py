"""What a page is asked: by whom, of which project, with which query; and how it finds out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import psycopg
from pydantic import BaseModel

from assay.dashboard.teaching import posting
from assay.dashboard.texts import parameter
from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from assay.access.services import Services
    from assay.dashboard.local_api import Listed, LocalApi
    from assay.store.pages import Reading

_EXPORT = re.compile(r"\.(json|csv)\Z")
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))?")
_INSTANTS = ("_after", "_before", "cutoff")
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request for a page or an action, parsed.

    Attributes:
        project: the id that rows carry. `project_name`: what the path says.
        key: the prefix of the key that they signed in with, None where none is wanted.
        path: below the project, as it was sent.
        params: what the parameters of the page's path hold, decoded.
        query: parameters with a value, the last one of a name.
        server: this server's own address, such as `http://127.0.0.1:8787`.
        now: the present instant.
        shows: the API's path of what the page shows, with parameters as in `Page.api`.
        own: parameters of the query that only the page knows.
        targets: the files that a worker beside this server runs: those of `assay dev`.
        error: what was refused of a form; then the query holds what was filled in.
    """

    project: int
    project_name: str
    key: str | None
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    server: str
    now: datetime
    services: Services
    api: LocalApi
    shows: str | None = None
    own: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()
    error: AssayError | None = None

    async def read(self, ask: Callable[[Reading], Awaitable[T]]) -> T:
        """What `ask` reads of the project, under row security; `not_storable`."""
        try:
            return await self.services.read(self.project, ask)
        except (psycopg.DataError, UnicodeEncodeError) as error:
            raise AssayError(
                "nothing that is stored has such a text",
                code="not_storable",
                hint="null characters and lone surrogates are the usual ones",
            ) from error

    async def items(self, model: type[M], **also: object) -> Listed[M]:
        """This page's list for this query, from the API; `also` says more, such as a limit."""
        return await self.api.items(model, self.api_path(), [*(self.api_query() | also).items()])

    async def record(self, model: type[M], **also: object) -> M:
        """This page's one record, from the API."""
        return await self.api.get(model, self.api_path(), [*(self.api_query() | also).items()])

    def api_path(self) -> str:
        """The API's path of what this page shows, below `/api/v1/`."""
        assert self.shows is not None
        encoded = {name: quote(value, safe="") for name, value in self.params.items()}
        return self.shows.format(**encoded)

    def api_query(self) -> dict[str, object]:
        """The query without what only the page knows."""
        return {name: value for name, value in self.query.items() if name not in self.own}

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """A parameter that is one of these words, the first unless it is given; `bad_filter`."""
        word = self.query.get(name, choices[0])
        if word not in choices:
            raise AssayError(
                f"{name} can't be {word!r}",
                code="bad_filter",
                field=name,
                hint=f"choose from {', '.join(choices)}",
            )
        return word

    def url(self, path: str, **query: object) -> str:
        """The address of a path below the project; None leaves a parameter out."""
        return address(f"/p/{quote(self.project_name, safe='')}{path}", query)

    def example_event(self, name: str, data: object) -> str:
        """A command that sends an event to this server."""
        return self.example_post("events", {"events": [{"name": name, "data": data}]})

    def example_post(self, path: str, body: object) -> str:
        """A command that posts to this server's API, with a key where it wants one."""
        return posting(self.server, path, body, wants_key=self.key is not None)

    def json(self, text: str) -> object:
        """What stored JSON text stands for."""
        return json.loads(text)

    def here(self, **changes: object) -> str:
        """This page's address with some parameters changed; a changed list starts anew."""
        kept: dict[str, object] = {n: v for n, v in self.query.items() if n != "cursor"}
        return self.url(self.path, **(kept | changes))


def typed(name: str, text: str) -> str:
    """A parameter as people type it: a day, or a time without a zone, is one in UTC."""
    found = _LOCAL.fullmatch(text.strip()) if name.endswith(_INSTANTS) else None
    return text if found is None else f"{found[1]}T{found[2] or '00:00'}Z"


def address(path: str, query: Mapping[str, object]) -> str:
    """A path with a query; parameters that are None are left out."""
    pairs = "&".join(
        f"{part(name)}={quote(parameter(value), safe=',:', errors='surrogatepass')}"
        for name, value in query.items()
        if value is not None
    )
    return f"{path}?{pairs}" if pairs else path


def part(text: str) -> str:
    """Any text as one part of a path; what ends as an export does is still a page's."""
    return _EXPORT.sub(r"%2E\1", quote(text, safe="", errors="surrogatepass"))
