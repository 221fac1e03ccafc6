"""The API on a database of a test's own, with rows made by the engine's own functions."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2

from assay.access import keys
from assay.api.app import create_app
from assay.clock import ManualClock
from assay.ids import Ids, parse, step_key
from assay.store import events, flushes, turns
from assay.store.pool import connect
from assay.store.turns import Flush

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from uuid import UUID

    from assay.settings import Limits
    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

T = TypeVar("T")
APP = "support"


class ApiServer:
    """A server in development, called over ASGI from tests that are not async."""

    def __init__(self, url: str, *, dev: bool = True, limits: Limits | None = None) -> None:
        self.url = url
        self.clock = ManualClock(datetime.now(UTC))
        self.ids = Ids(self.clock)
        self.worker = self.ids.new()
        self._loop = asyncio.Runner()
        self.app = create_app(database_url=url, clock=self.clock, dev=dev, limits=limits)
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787")
        self.connection: AsyncConn = self._loop.run(connect(url))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.run(self.connection.close())
        self._loop.run(self._client.aclose())
        self._loop.run(self.app.state.services.close())
        self._loop.close()

    # Requests

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request; `path` below /api/v1 unless it begins with a slash."""
        whole = path if path.startswith("/") else f"/api/v1/{path}"
        return self._loop.run(self._client.request(method, whole, **options))

    def ask_all(self, *requests: Callable[[httpx2.AsyncClient], Awaitable[Any]]) -> list[Any]:
        """Send requests at the same time."""

        async def gather() -> list[Any]:
            return await asyncio.gather(*(request(self._client) for request in requests))

        return self._loop.run(gather())

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a good answer."""
        response = self.ask("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: object, **options: Any) -> Any:
        """The JSON of a good answer."""
        response = self.ask("POST", path, json=body, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def refusal(self, method: str, path: str, **options: Any) -> tuple[int, str, str | None]:
        """Status, code and field of a refusal, which has to be a problem."""
        response = self.ask(method, path, **options)
        assert response.headers["content-type"] == "application/problem+json", response.text
        problem = response.json()
        assert problem["status"] == response.status_code
        assert problem["error"]["message"] == problem["detail"]
        assert "Traceback" not in response.text
        return response.status_code, problem["error"]["code"], problem["field"]

    def pages(self, path: str, **params: Any) -> list[Any]:
        """All items of a list, read to its end."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, **params, **cursor)
            items += page["data"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    # What an engine does

    def run(self, asked: Awaitable[T]) -> T:
        """Await something on the server's loop."""

        async def wait() -> T:
            return await asked

        return self._loop.run(wait())

    def register(self, *fns: str, event: str = "ticket", project: int = 1) -> None:
        """Make functions known that start on an event."""
        rows: list[Row] = [
            {
                "app": APP,
                "fn": fn,
                "kind": "function",
                "version": "v1",
                "triggers": [{"event": event}],
                "options": {"retries": 4},
            }
            for fn in fns
        ]
        self.run(events.register(self.connection, rows, project=project, now=self.clock.now()))

    def start(self, *, name: str = "ticket", **event: Any) -> str:
        """Send an event that starts one run, newer than those before; gives the run's id."""
        self.clock.advance(timedelta(milliseconds=1))
        sent = self.post("events", {"events": [{"name": name, "data": {}, **event}]})
        (run,) = sent["run_ids"]
        return str(run)

    def claim(self, run: str, *, project: int = 1) -> int:
        """Make a run live; gives the generation of its turn."""
        return self.run(self._claim(parse(run), project))

    def commit(self, run: str, generation: int, *, project: int = 1, **rows: list[Row]) -> None:
        """Commit rows of a live run: journal, attempts, waits, scores, outcomes, finish, park."""
        self.run(self._commit(parse(run), generation, project, rows))

    def finish(self, run: str, status: str = "completed", *, project: int = 1, **end: Any) -> None:
        """End a run: `output` and `error` are JSON text; `rows` are committed with it."""
        self.run(self.end(run, status, project=project, **end))

    async def end(
        self, run: str, status: str = "completed", *, project: int = 1, **end: Any
    ) -> None:
        """The same on the server's loop."""
        generation = await self._claim(parse(run), project)
        rows = {**end.pop("rows", {})}
        rows["finish"] = [{"status": status, "started": self.clock.time(), **end}]
        await self._commit(parse(run), generation, project, rows)

    async def _claim(self, run: UUID, project: int) -> int:
        (turn,) = await turns.claim(
            self.connection,
            project=project,
            app=APP,
            fns=[],
            worker=self.worker,
            now=self.clock.time(),
            limit=1,
            run=run,
        )
        return turn.generation

    async def _commit(
        self, run: UUID, generation: int, project: int, rows: dict[str, list[Row]]
    ) -> None:
        turn = {"run": run, "gen": generation}
        flush = Flush(
            turns=[turn],
            **{kind: [turn | {"giver": run} | row for row in some] for kind, some in rows.items()},
        )
        written = await flushes.commit(
            self.connection, flush, project=project, now=self.clock.time()
        )
        assert [one.run_id for one in written] == [run]

    def key(self, project: int = 1) -> str:
        """A new API key."""
        made = keys.create(
            self.connection, project=project, name="test", clock=self.clock, ids=self.ids
        )
        return str(self.run(made)[1])

    def new_project(self, project: int = 2) -> None:
        """Make another project."""
        for statement in (
            "INSERT INTO assay.projects (id, name) VALUES (%s, 'other')",
            "INSERT INTO assay.catalogs (project_id, version) VALUES (%s, 1)",
        ):
            self.run(self.connection.execute(statement, (project,)))

    def ulid(self) -> UUID:
        """A new id."""
        return self.ids.new()


def journal_row(name: str, seq: int, *, kind: str = "step", index: int = 0, **more: Any) -> Row:
    """A journal row of a flush."""
    now = datetime.now(UTC).timestamp()
    return {
        "step": step_key(name, index),
        "seq": seq,
        "kind": kind,
        "name": name,
        "idx": index,
        "span": 1000 + seq,
        "attempts": 1,
        "started": now,
        "ended": now,
        **more,
    }


def failure(kind: str = "ValueError", message: str = "no", **more: Any) -> str:
    """The stored form of an error."""
    stored = {"type": kind, "message": message, "bases": [kind], "data": None, "traceback": ""}
    return json.dumps(stored | {"code": None, "retriable": True} | more)
