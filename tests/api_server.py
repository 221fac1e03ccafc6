"""The API on a database of a test's own, with the rows that an engine would have written."""

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
from assay.store import registrations, user_spans
from assay.store.pool import connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from uuid import UUID

    from assay.settings import Limits
    from assay.store.pool import FullConn
    from assay.store.turns import Row

T = TypeVar("T")
APP = "support"
INSERT = "INSERT INTO assay.{table} SELECT * FROM json_populate_recordset(null::assay.{table}, %s)"
CLAIM = (
    "UPDATE assay.turns SET state = 1, generation = generation + 1, worker_id = %s, started_at = %s"
    " WHERE run_id = %s"
)
PARK = "UPDATE assay.turns SET state = 0, worker_id = NULL WHERE run_id = %s"
FINISH = (
    "UPDATE assay.runs SET status = %s, output = %s, error = %s, started_at = %s, ended_at = %s"
    " WHERE id = %s"
)
OUTCOME = (
    "INSERT INTO assay.outcomes (project_id, run_id, defer_id, name, scorer, state, reason,"
    " promised_at, changed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (project_id, run_id, defer_id, name) DO UPDATE"
    " SET state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at"
)
OUTCOME_CHANGE = (
    "INSERT INTO assay.outcome_changes (project_id, run_id, defer_id, name, state, changed_at,"
    " reason) VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
END_TURN = "DELETE FROM assay.turns WHERE run_id = %s"


class ApiServer:
    """A server in development, called over ASGI from tests that are not async."""

    def __init__(
        self,
        url: str,
        *,
        dev: bool = True,
        limits: Limits | None = None,
        clock: ManualClock | None = None,
    ) -> None:
        self.url = url
        self.clock = clock or ManualClock(datetime.now(UTC))
        self.ids = Ids(self.clock)
        self.worker = self.ids.new()
        self._loop = asyncio.Runner()
        self.app = create_app(database_url=url, clock=self.clock, dev=dev, limits=limits)
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787")
        self.connection: FullConn = self._loop.run(connect(url))

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
        """The JSON of a good answer; the body may hold lone surrogates."""
        headers = {"content-type": "application/json"} | options.pop("headers", {})
        response = self.ask("POST", path, content=json.dumps(body), headers=headers, **options)
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

    # What an engine writes

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
        self.run(
            registrations.register(
                self.connection, rows, project=project, source="", now=self.clock.now()
            )
        )

    def start(self, *, name: str = "ticket", **event: Any) -> str:
        """Send an event that starts one run, newer than those before; gives the run's id."""
        self.clock.advance(timedelta(milliseconds=1))
        sent = self.post("events", {"events": [{"name": name, "data": {}, **event}]})
        (run,) = sent["run_ids"]
        return str(run)

    def insert(self, table: str, *rows: Row, project: int = 1) -> None:
        """Put rows into a table, as an engine would have."""
        text = json.dumps([{"project_id": project, **row} for row in rows], default=str)
        self.run(self._execute(INSERT.format(table=table), (text,)))

    def claim(self, run: str) -> None:
        """Make a run live."""
        self.run(self._execute(CLAIM, (self.worker, self.clock.now(), parse(run))))

    def park(self, run: str) -> None:
        """Make a live run wait."""
        self.run(self._execute(PARK, (parse(run),)))

    def finish(
        self,
        run: str,
        status: str = "completed",
        *,
        output: str | None = None,
        error: str | None = None,
    ) -> None:
        """End a run; output and error are JSON text."""
        self.run(self.end(run, status, output=output, error=error))

    async def end(
        self,
        run: str,
        status: str = "completed",
        *,
        output: str | None = None,
        error: str | None = None,
    ) -> None:
        """The same on the server's loop."""
        now = self.clock.now()
        await self._execute(FINISH, (status, output, error, now, now, parse(run)))
        await self._execute(END_TURN, (parse(run),))

    async def _execute(self, query: str, values: tuple[object, ...]) -> None:
        await self.connection.execute(query.encode(), values)

    def promise(
        self, run: str, name: str, state: str = "pending", reason: str | None = None
    ) -> None:
        """Open an outcome of a run, or bring it into another state."""
        about = (1, parse(run), "d", name)
        now = self.clock.now()
        self.run(self._execute(OUTCOME, (*about, "judge", state, reason, now, now)))
        self.run(self._execute(OUTCOME_CHANGE, (*about, state, now, reason)))

    def user_span(
        self,
        run: str,
        name: str,
        *,
        parent: int,
        step: UUID,
        attempt: int = 1,
        span: int = 42,
        project: int = 1,
    ) -> None:
        """Store a span of user code."""
        now = self.clock.time()
        row: Row = {
            "day": self.clock.now().date(),
            "trace": parse(run),
            "span": span,
            "parent": parent,
            "run": parse(run),
            "step": step,
            "attempt": attempt,
            "name": name,
            "kind": "client",
            "started": now,
            "ended": now,
            "status": "unset",
            "message": None,
            "attributes": '{"gen_ai.usage.input_tokens": 7, "odd": NaN}',
            "events": json.dumps(
                [{"name": "token", "ts": self.clock.now().isoformat(), "attributes": {"n": 1}}]
            ),
        }
        self.run(user_spans.add(self.connection, [row], project=project))

    def cut_connections(self) -> None:
        """End all connections to the database but this test's own."""
        self.run(
            self.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    def start_nothing(self) -> None:
        """Send an event that no function starts on."""
        self.post("events", {"events": [{"name": "nothing", "data": {}}]})

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


def step(run: str, name: str, **columns: Any) -> Row:
    """Columns of a row about a step."""
    return {
        "run_id": parse(run),
        "step": step_key(name, 0),
        "name": name,
        "idx": 0,
        **columns,
    }


def memo(run: str, name: str, seq: int, *, kind: str = "step", **columns: Any) -> Row:
    """A row of the journal."""
    now = datetime.now(UTC)
    usual = {"seq": seq, "span": 1000 + seq, "attempts": 1, "started_at": now, "ended_at": now}
    return step(run, name, kind=kind, **(usual | columns))


def failure(type_: str = "ValueError", message: str = "no", **more: Any) -> str:
    """The stored form of an error."""
    stored = {"type": type_, "message": message, "bases": [type_], "data": None, "traceback": ""}
    return json.dumps(stored | {"code": None, "retriable": True} | more)
