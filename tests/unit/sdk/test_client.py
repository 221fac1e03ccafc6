"""The client: over HTTP outside of runs, by the journal inside."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import TYPE_CHECKING, Any

import httpx2
import pydantic
import pytest

import assay
from assay import ids
from assay.clock import ManualClock
from assay.model.scores import Subject
from assay.sdk.http import Api
from assay.sdk.port import EventSend, ScoreWrite
from assay.sdk.sync import SyncClient
from unit.sdk.fake_journal import RUN, FakeJournal, code_of, inside

if TYPE_CHECKING:
    from collections.abc import Coroutine

RUN_ID = ids.to_text(RUN)


class Server:
    """Answers requests in order, and keeps them."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.slept: list[float] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> assay.Client:
        transport = httpx2.MockTransport(self.answer)
        client = assay.Client(
            "app", url="http://assay.test/", api_key="k1", transport=transport, clock=ManualClock()
        )

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        client._made_api = Api("http://assay.test/", "k1", transport, sleep)
        return client

    def bodies(self) -> list[Any]:
        return [json.loads(request.content or "null") for request in self.requests]


def sent(*run_ids: str) -> httpx2.Response:
    """The answer to events."""
    return httpx2.Response(200, json={"event_ids": ["01E"], "run_ids": list(run_ids)})


def ran(status: str, **others: object) -> httpx2.Response:
    """The answer for a run."""
    run: dict[str, object] = {
        "id": RUN_ID,
        "app_id": "app",
        "function_id": "fn",
        "status": status,
        "sessions": [],
        "queued_at": "2026-01-01T00:00:00Z",
        "started_at": None,
        "ended_at": None,
        "trace_id": "0" * 32,
    }
    return httpx2.Response(200, json=run | others)


def run(begun: Coroutine[object, object, Any]) -> Any:
    """What a coroutine gives."""

    async def through() -> Any:
        return await begun

    return asyncio.run(through())


def error_of(begun: Coroutine[object, object, Any]) -> assay.AssayError:
    """The error that a coroutine ends with."""
    with pytest.raises(assay.AssayError) as caught:
        run(begun)
    return caught.value


def test_events_are_sent_with_ids_of_the_senders() -> None:
    """Exact data, tombstones, and the key in the header."""
    server = Server(sent("01R"))
    event = assay.Event("a/b", {"t": "\0\ud800", "n": None}, sessions={"s": 1, "d": assay.DROP})
    given = assay.Event("a/c", {}, id=RUN_ID, key="order-42", sessions=assay.DROP)
    assert run(server.client().send([event, given])) == assay.Sent(("01E",), ("01R",))
    first, second = server.bodies()[0]["events"]
    assert len(first.pop("id")) == 26
    assert first == {
        "name": "a/b",
        "data": {"t": "\0\ud800", "n": None},
        "sessions": {"s": 1, "d": None},
    }
    assert second == {"id": RUN_ID, "name": "a/c", "key": "order-42", "drop_sessions": True}
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "http://assay.test/api/v1/events")
    assert request.headers["authorization"] == "Bearer k1"


def test_data_is_sent_however_deeply_it_is_nested() -> None:
    """As deeply as an event may be."""
    data: dict[str, Any] = {}
    for _ in range(400):
        data = {"a": data}
    server = Server(sent("01R"))
    run(server.client().send(assay.Event("a/b", data)))
    assert server.bodies()[0]["events"][0]["data"] == data


def test_trying_again_sends_the_same_ids() -> None:
    """After lost connections and 502, 503, 504."""
    server = Server(
        httpx2.ConnectError("no"),
        httpx2.Response(502),
        httpx2.Response(503),
        httpx2.ReadError(""),
        sent(),
    )
    run(server.client().send(assay.Event("a/b", {})))
    assert len({request.content for request in server.requests}) == 1
    assert server.slept == [0.1, 0.2, 0.4, 0.8]


def test_five_attempts_are_enough() -> None:
    """Then the error says what to do."""
    error = error_of(
        Server(*[httpx2.ConnectError("refused")] * 5).client().send(assay.Event("a/b", {}))
    )
    assert (error.code, error.is_retriable) == ("api_unreachable", True)
    assert "refused" in error.message
    error = error_of(Server(*[httpx2.Response(503)] * 5).client().cancel(RUN_ID))
    assert (error.code, error.is_retriable) == ("api_error", True)


def test_a_problem_becomes_the_same_error() -> None:
    """Code, message, field and hint; it is not tried again."""
    problem = {
        "title": "Not Found",
        "status": 404,
        "detail": "no such run",
        "error": {"code": "run_not_found", "message": "no such run"},
        "field": "run_id",
        "hint": "look",
    }
    server = Server(httpx2.Response(404, json=problem))
    error = error_of(server.client().score("a", 1, run_id=RUN_ID))
    assert (error.code, error.message, error.field) == ("run_not_found", "no such run", "run_id")
    assert (error.hint, error.is_retriable) == ("look", False)
    assert error_of(Server(httpx2.Response(400, text="?")).client().cancel(RUN_ID)).code == (
        "api_error"
    )


def test_scores_are_sent_with_an_id() -> None:
    """Booleans stay booleans, 0 stays 0."""
    server = Server(*[httpx2.Response(200, json={"id": "01S", "is_new": True})] * 2)
    client = server.client()
    run(client.score("a", False, run_id=RUN_ID, step_id="s", index=0, rationale="why"))
    run(client.score("a", 0, run_id=RUN_ID, id=RUN_ID))
    first, second = server.bodies()
    assert len(first.pop("id")) == 26
    assert first == {
        "name": "a",
        "value": False,
        "run_id": RUN_ID,
        "step_id": "s",
        "index": 0,
        "rationale": "why",
    }
    assert second == {"id": RUN_ID, "name": "a", "value": 0, "run_id": RUN_ID}
    assert server.requests[0].url.path == "/api/v1/scores"


def test_outside_a_run_a_score_needs_its_run() -> None:
    """The text is the reference's."""
    with pytest.raises(assay.AssayError, match="No run context available") as caught:
        run(assay.Client("app").score("a", 1))
    assert caught.value.code == "no_run"


class Answer(pydantic.BaseModel):
    """An output."""

    text: str


def test_results_are_waited_for_and_typed() -> None:
    """By the function's return type; plain JSON without it."""
    server = Server(
        ran("queued"),
        ran("waiting"),
        ran("completed", output={"text": "a"}),
        ran("completed", output={"text": "a"}),
    )
    client = server.client()

    @client.function("fn", on="a")
    async def fn(ctx: assay.Context) -> Answer:
        raise NotImplementedError(ctx)

    assert run(client.result(RUN_ID, of=fn)) == Answer(text="a")
    assert run(client.result(RUN_ID)) == {"text": "a"}
    assert str(server.requests[0].url).endswith(f"/api/v1/runs/{RUN_ID}?wait_s=20.000&include=")


def test_runs_without_a_result_say_why() -> None:
    """Failed, cancelled, late, or of another function."""
    error = {"type": "OrderError", "message": "no stock"}
    server = Server(ran("failed", error=error), ran("cancelled"), ran("running"))
    client = server.client()

    @client.function("fn", on="a")
    async def fn(ctx: assay.Context) -> Answer:
        raise NotImplementedError(ctx)

    failed = error_of(client.result(RUN_ID))
    assert failed.code == "run_failed"
    assert "OrderError: no stock" in failed.message
    assert error_of(client.result(RUN_ID)).code == "run_cancelled"
    assert error_of(client.result(RUN_ID, timeout=0)).code == "result_timeout"
    server.answers.append(ran("completed", output=3))
    assert error_of(client.result(RUN_ID, of=fn)).code == "output_misfit"
    assert code_of(lambda: client.result("nope")) == "bad_id"


def test_runs_are_cancelled() -> None:
    """By their id."""
    server = Server(httpx2.Response(200, json={"id": RUN_ID, "status": "cancelled"}))
    assert run(server.client().cancel(RUN_ID)) is None
    assert server.requests[0].url.path == f"/api/v1/runs/{RUN_ID}/cancel"


def test_connections_belong_to_their_loop() -> None:
    """And are closed with it."""
    server = Server(sent(), sent())

    async def use(client: assay.Client) -> None:
        await client.send(assay.Event("a/b", {}))
        assert client._made_api is not None
        assert len(client._made_api._clients) == 1
        await client.aclose()
        assert len(client._made_api._clients) == 0

    client = server.client()
    asyncio.run(use(client))
    asyncio.run(use(client))


def test_nothing_to_send_sends_nothing() -> None:
    """Wherever it is."""
    client = Server().client()
    assert run(client.send([])) == assay.Sent((), ())
    assert client.sync.send([]) == assay.Sent((), ())
    with inside(FakeJournal()):
        assert client.sync.send([]) == assay.Sent((), ())
    assert code_of(lambda: client.send([3])) == "event_type"  # type: ignore[list-item]


def test_in_a_body_sending_and_scoring_are_steps() -> None:
    """Of Assay's own ids; the network is not touched."""
    client = Server().client()
    with inside(FakeJournal()) as journal:
        journal.answers["assay.send"] = '["01E"]'
        assert run(client.send(assay.Event("a/b", {}))) == assay.Sent(("01E",), ())
        run(client.score("a", 1))
        assert client.sync.send(assay.Event("a/b", {})).event_ids == ("01E",)
        client.sync.score("a", True, run_id=RUN_ID)
    names = [one.name for one in journal.asked]
    assert names == ["assay.send", "assay.score", "assay.send", "assay.score"]
    send, score = journal.asked[0].request, journal.asked[1].request
    assert isinstance(send, EventSend)
    assert send.events[0].id is None
    assert isinstance(score, ScoreWrite)
    assert (score.score.subject, score.score.run) == (Subject.RUN, RUN)


def test_in_a_step_sending_and_scoring_go_with_the_attempt() -> None:
    """A score without ids is about that attempt; a run that is named comes first."""
    client = Server().client()
    other = ids.parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    with inside(FakeJournal().in_step("answer", index=1, attempt=2)) as journal:
        assert len(run(client.send(assay.Event("a/b", {}))).event_ids) == 1
        run(client.score("a", 1))
        run(client.score("a", 2, run_id=RUN_ID))
        run(client.score("a", 3, step_id="answer"))
        client.sync.score("a", 4, run_id=ids.to_text(other))
        assert len(client.sync.send([assay.Event("a/b", {})]).event_ids) == 1
    assert journal.asked == []
    assert len(journal.sent) == 2
    own, run_score, step_score, foreign = journal.scores
    assert (own.subject, own.step, own.index, own.attempt) == (Subject.STEP, "answer", 1, 2)
    assert (run_score.subject, run_score.step, run_score.attempt) == (Subject.RUN, None, None)
    assert (step_score.subject, step_score.index, step_score.attempt) == (Subject.STEP, 0, None)
    assert (foreign.run, foreign.subject) == (other, Subject.RUN)


def test_bodies_neither_wait_for_results_nor_cancel() -> None:
    """The way out is named."""
    client = Server().client()
    with inside(FakeJournal()):
        assert code_of(lambda: client.result(RUN_ID)) == "result_in_body"
        assert code_of(lambda: client.cancel(RUN_ID)) == "cancel_in_body"
        with pytest.raises(assay.AssayError, match=r"step\.invoke"):
            client.sync.result(RUN_ID)


def test_sync_calls_share_one_thread_and_its_connections() -> None:
    """Until they are closed; a later call begins anew."""
    server = Server(
        sent("01R"),
        ran("completed", output=1),
        httpx2.Response(200, json={"id": RUN_ID, "status": "cancelled"}),
        httpx2.Response(200, json={"id": "01S", "is_new": True}),
        httpx2.Response(409),
    )
    client = server.client()
    assert client.sync.send(assay.Event("a/b", {})).run_ids == ("01R",)
    assert client.sync.result(RUN_ID, timeout="1s") == 1
    client.sync.cancel(RUN_ID)
    client.sync.close()
    client.sync.score("a", 1, run_id=RUN_ID, author="me")
    assert code_of(lambda: client.sync.cancel(RUN_ID)) == "api_error"
    client.sync.close()
    client.sync.close()
    assert server.bodies()[3]["author"] == "me"


def test_sync_calls_are_refused_where_a_loop_runs() -> None:
    """They would stop it."""

    async def body() -> None:
        Server().client().sync.send(assay.Event("a/b", {}))

    assert error_of(body()).code == "sync_in_async"


@pytest.mark.parametrize("name", ["send", "score", "result", "cancel"])
def test_both_faces_have_the_same_parameters(name: str) -> None:
    """In names, kinds, defaults and types."""
    one = inspect.signature(getattr(assay.Client, name)).parameters
    other = inspect.signature(getattr(SyncClient, name)).parameters
    assert list(one.values()) == list(other.values())
