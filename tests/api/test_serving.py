"""The app as a whole: its document, many at once, a database that is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2
import pytest

from assay.api.app import PREFIX, RESOURCES, create_app
from assay.ids import to_text
from assay.store.pool import ReadPool
from assay.wire.events import Event
from assay.wire.functions import Function
from assay.wire.runs import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from api_server import ApiServer


def test_the_document_names_every_route_and_resolves_all_references(api: ApiServer) -> None:
    """Bodies too, which are read by hand."""
    response = api.ask("GET", "openapi.json")
    document = response.json()
    send = document["paths"]["/api/v1/events"]["post"]
    assert "events" in send["requestBody"]["content"]["application/json"]["schema"]["properties"]
    shapes = document["components"]["schemas"]
    for part in response.text.split('"#/components/schemas/')[1:]:
        assert part.split('"')[0] in shapes
    assert "$defs" not in response.text


def test_a_resource_answers_for_all_paths_that_begin_with_its_name() -> None:
    """A command loads a resource by its path: what stands elsewhere would not be found."""
    whole = create_app(database_url="").openapi()["paths"].keys() - {"/e/{key}"}
    parts: set[str] = set()
    for resource in RESOURCES:
        document = create_app(database_url="", resources=[resource]).openapi()
        own = document["paths"].keys() - {"/e/{key}"}
        assert {path.split("/")[3] for path in own} == {resource}
        parts |= own
    assert parts == whole
    assert all(path.startswith(f"{PREFIX}/") for path in whole)


@pytest.mark.parametrize("given", ["yesterday", "2026-11-27", "2026-11-27T13:00:00"])
def test_an_instant_that_is_none_says_how_one_is_written(api: ApiServer, given: str) -> None:
    """With its zone."""
    problem = api.ask("GET", f"runs?queued_after={given}").json()
    assert problem["error"]["code"] == "invalid"
    assert problem["hint"] == "give an instant with its zone: 2026-03-23T00:00:00Z"


def test_answers_have_the_shapes_of_the_document(api: ApiServer) -> None:
    """Those of the lists; tests of one resource look at the rest."""
    api.register("answer")
    api.start(sessions={"ticket": "1"})
    for path, shape in (("runs", Run), ("events", Event), ("functions", Function)):
        for item in api.pages(path):
            shape.model_validate(item)


def test_many_send_and_wait_at_once(api: ApiServer) -> None:
    """Each event starts its run once, though half of them are sent twice."""
    api.register("answer")
    ids = [to_text(api.ulid()) for _ in range(30)]

    def send(id_: str) -> Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]:
        body = {"events": [{"id": id_, "name": "ticket", "data": {}}]}
        return lambda client: client.post("/api/v1/events", json=body)

    answers = api.ask_all(*(send(id_) for id_ in ids + ids[:15]))

    assert {answer.status_code for answer in answers} == {200}
    assert len(api.pages("runs")) == 30
    first, again = answers[0].json(), answers[30].json()
    assert first == again


def test_without_its_database_a_server_answers_503(unused_tcp_port: int) -> None:
    """And says that trying again is safe."""
    app = create_app(database_url=f"postgresql://x@127.0.0.1:{unused_tcp_port}/x", dev=True)

    async def ask() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [
                await client.get("/api/v1/health"),
                await client.post("/api/v1/events", json={"events": [{"name": "x", "data": {}}]}),
            ]

    for response in asyncio.run(ask()):
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "database_unavailable"
        assert response.headers["retry-after"] == "1"


def test_a_server_comes_back_after_its_connections_are_cut(api: ApiServer) -> None:
    """Reads and writes go on over new ones."""
    api.register("answer")
    api.start()
    api.get("runs")
    api.cut_connections()
    assert len(api.get("runs")["data"]) == 1
    api.cut_connections()
    api.start()
    assert len(api.get("runs")["data"]) == 2


def test_what_is_read_while_a_server_ends_leaves_no_connection(api: ApiServer) -> None:
    """It is closed by whoever read with it last."""

    async def read() -> bool:
        pool = ReadPool(api.url)
        async with pool.reading(1) as cursor:
            await pool.close()
        return cursor.connection.closed

    assert api.run(read())
