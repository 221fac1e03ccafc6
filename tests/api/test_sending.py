"""Events sent over HTTP."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from api_server import ApiServer
from assay.ids import to_text
from assay.settings import Limits


def test_an_event_starts_the_functions_that_it_matches(api: ApiServer) -> None:
    """Ids of the event and of both runs come back."""
    api.register("answer", "triage")

    sent = api.post("events", {"events": [{"name": "ticket", "data": {"a": 1}}]})

    assert len(sent["event_ids"]) == 1
    assert {run["id"] for run in api.get("runs")["data"]} == set(sent["run_ids"])
    assert {run["function_id"] for run in api.get("runs")["data"]} == {"answer", "triage"}


def test_sending_the_same_ids_again_starts_nothing_again(api: ApiServer) -> None:
    """A client may try again whatever happened to the first try."""
    api.register("answer")
    body = {"events": [{"id": to_text(api.ulid()), "name": "ticket", "data": {}}]}

    assert api.post("events", body) == api.post("events", body)
    assert len(api.pages("runs")) == 1


def test_a_key_starts_nothing_twice_within_a_day(api: ApiServer) -> None:
    """The second event is stored all the same."""
    api.register("answer")
    event = {"name": "ticket", "data": {}, "key": "order-42"}

    assert len(api.post("events", {"events": [event]})["run_ids"]) == 1
    assert api.post("events", {"events": [event]})["run_ids"] == []
    assert len(api.get("events")["data"]) == 2
    api.clock.advance(timedelta(hours=24, minutes=1))
    assert len(api.post("events", {"events": [event]})["run_ids"]) == 1


def test_a_duplicate_is_told_to_its_sender_and_on_its_record(api: ApiServer) -> None:
    """It names the event that had the key, also when it is sent again, and once the key is free."""
    api.register("answer")
    event = {"name": "ticket", "data": {}, "key": "order-42"}
    first = api.post("events", {"events": [event]})["event_ids"][0]
    second = {**event, "id": to_text(api.ulid())}

    told = {"event_ids": [second["id"]], "run_ids": [], "duplicates": {second["id"]: first}}
    assert api.post("events", {"events": [second]}) == told
    assert api.post("events", {"events": [second]}) == told
    api.clock.advance(timedelta(hours=24, minutes=1))
    third = api.post("events", {"events": [event]})
    assert third["duplicates"] == {}
    asked = (first, second["id"], third["event_ids"][0])
    assert [api.get(f"events/{id_}")["duplicate_of"] for id_ in asked] == [None, first, None]


@pytest.mark.parametrize(
    ("event", "code", "field"),
    [
        ({"data": {}}, "event_name", "name"),
        ({"name": " ", "data": {}}, "event_name", "name"),
        ({"name": "assay/x", "data": {}}, "event_name", "name"),
        ({"name": "a\ud800", "data": {}}, "event_name", "name"),
        ({"name": "a\0", "data": {}}, "event_name", "name"),
        ({"name": "x", "data": []}, "event_data", "data"),
        ({"name": "x", "data": {}, "id": "nope"}, "bad_id", "id"),
        ({"name": "x", "data": {}, "id": 7}, "event_shape", "id"),
        ({"name": "x", "data": {}, "id": "7ZZZZZZZZZ0000000000000000"}, "id_time", "id"),
        ({"name": "x", "data": {}, "ts": "2026-01-01T00:00:00"}, "event_ts", "ts"),
        ({"name": "x", "data": {}, "ts": "1066-10-14T09:00:00Z"}, "event_ts", "ts"),
        ({"name": "x", "data": {}, "ts": 5}, "event_shape", "ts"),
        ({"name": "x", "data": {}, "key": ""}, "event_key", "key"),
        ({"name": "x", "data": {}, "sessions": {"a": True}}, "sessions_invalid", "sessions"),
        ({"name": "x", "data": {}, "sessions": []}, "sessions_invalid", "sessions"),
        ({"name": "x", "data": {}, "extra": 1}, "event_shape", "extra"),
        (7, "event_shape", None),
    ],
)
def test_one_bad_event_refuses_the_request_and_is_named(
    api: ApiServer, event: object, code: str, field: str | None
) -> None:
    """Nothing of the request is taken."""
    body = json.dumps({"events": [{"name": "ticket", "data": {}}, event]})

    status, told, where = api.refusal(
        "POST", "events", content=body, headers={"content-type": "application/json"}
    )

    assert (told, where) == (code, "events[1]" + (f".{field}" if field else ""))
    assert status in {400, 422}
    assert api.get("events")["data"] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}', b"9" * 5_000],
)
def test_what_is_not_json_is_a_problem(api: ApiServer, body: bytes) -> None:
    """Whatever is wrong with it."""
    assert api.refusal("POST", "events", content=body)[:2] == (400, "bad_json")


@pytest.mark.parametrize("body", [[], {}, {"events": {}}, {"events": [], "more": 1}, "x"])
def test_json_of_another_shape_is_a_problem(api: ApiServer, body: object) -> None:
    """The message shows the right one."""
    assert api.refusal("POST", "events", json=body)[:2] == (422, "event_shape")


def test_no_events_are_no_error(api: ApiServer) -> None:
    """An empty list has nothing wrong in it."""
    assert api.post("events", {"events": []}) == {
        "event_ids": [],
        "run_ids": [],
        "duplicates": {},
    }


def test_what_is_too_large_is_413(assay_database: str) -> None:
    """Of an event, of their number, of the whole body."""
    limits = Limits(event_bytes=100, request_events=2)
    with ApiServer(assay_database, limits=limits) as api:
        event: dict[str, Any] = {"name": "x", "data": {"text": "y" * 100}}
        assert api.refusal("POST", "events", json={"events": [event]}) == (
            413,
            "event_too_large",
            "events[0].data",
        )
        three = {"events": [{"name": "x", "data": {}}] * 3}
        assert api.refusal("POST", "events", json=three)[:2] == (413, "too_many_events")
        huge = b" " * (32 * 1024 * 1024 + 1)
        assert api.refusal("POST", "events", content=huge)[:2] == (413, "body_too_large")


def test_hostile_data_is_kept_as_far_as_it_can_be_and_says_so(api: ApiServer) -> None:
    """Null characters and lone surrogates become U+FFFD, the rest is as it was."""
    data = {"\0k": "\ud800", "sql": "'; DROP TABLE runs; --", "html": "<script>", "n": 10**40}
    body = json.dumps({"events": [{"name": "'\"<x>", "data": data}]})

    (id_,) = api.ask("POST", "events", content=body).json()["event_ids"]

    event = api.get(f"events/{id_}")
    assert event["data"] == {
        "\ufffdk": "\ufffd",
        "sql": data["sql"],
        "html": data["html"],
        "n": 10**40,
    }
    assert "U+FFFD" in event["warnings"][0]


def test_an_event_shows_the_runs_that_it_started(api: ApiServer) -> None:
    """By the event's id."""
    api.register("answer")
    sent = api.post("events", {"events": [{"name": "ticket", "data": {}}]})

    event = api.get(f"events/{sent['event_ids'][0]}")

    assert [run["id"] for run in event["started_runs"]] == sent["run_ids"]
    assert event["woken_runs"] == []


def test_events_are_listed_by_name_and_time_with_the_newest_first(api: ApiServer) -> None:
    """In pages, too."""
    start = api.clock.now()
    for number in range(6):
        api.clock.advance(timedelta(seconds=1))
        api.post("events", {"events": [{"name": f"n{number % 2}", "data": {"i": number}}]})

    def numbers(**params: Any) -> list[int]:
        return [event["data"]["i"] for event in api.pages("events", limit=1, **params)]

    assert numbers() == [5, 4, 3, 2, 1, 0]
    assert numbers(name="n1") == [5, 3, 1]
    since = (start + timedelta(seconds=3)).isoformat()
    assert numbers(received_after=since) == [5, 4, 3, 2]
    assert numbers(received_before=since, name="n0") == [0]


def seed(api: ApiServer, entropy: bytes = b"0123456789") -> dict[str, str]:
    """The header that makes ids of events."""
    milliseconds = int(api.clock.time() * 1000)
    return {"x-inngest-event-id-seed": f"{milliseconds},{base64.b64encode(entropy).decode()}"}


def test_the_ecosystems_clients_send_an_array_or_an_object(api: ApiServer) -> None:
    """With any key in development; reserved data is stripped, sessions are read from meta."""
    api.register("answer")
    event = {
        "name": "ticket",
        "data": {"a": 1, "_inngest": {}},
        "ts": int(api.clock.time() * 1000),
        "user": {},
        "v": "1",
        "meta": {"sessions": {"ticket_id": 7}},
    }

    answers = [api.post("/e/any", event), api.post("/e/any", [event, event])]

    assert [(len(one["ids"]), one["status"]) for one in answers] == [(1, 200), (2, 200)]
    shown = api.get(f"events/{answers[0]['ids'][0]}")
    assert shown["data"] == {"a": 1}
    assert shown["sessions"] == [{"key": "ticket_id", "id": "7"}]
    assert len(api.pages("runs")) == 3


def test_a_seed_makes_trying_again_harmless(api: ApiServer) -> None:
    """The same header gives the same ids, so each event is taken once."""
    api.register("answer")
    body = [{"name": "ticket", "data": {}}, {"name": "ticket"}]
    headers = seed(api)

    first = api.post("/e/any", body, headers=headers)

    assert api.post("/e/any", body, headers=headers) == first
    assert first["ids"] == sorted(set(first["ids"]))
    assert len(api.pages("runs")) == 2


@pytest.mark.parametrize(
    "header",
    ["", "x", "12,", "-5,MDEyMzQ1Njc4OQ==", f"{10**30},MDEyMzQ1Njc4OQ==", "{now},!!", "{now},MDEy"],
)
def test_a_seed_that_is_none_loses_no_event(api: ApiServer, header: str) -> None:
    """The events get ids of their own."""
    now = str(int(api.clock.time() * 1000))
    headers = {"x-inngest-event-id-seed": header.replace("{now}", now)}
    assert len(api.post("/e/any", {"name": "x"}, headers=headers)["ids"]) == 1


def test_the_ecosystems_id_is_an_idempotency_key(api: ApiServer) -> None:
    """The second event starts nothing."""
    api.register("answer")
    for _ in range(2):
        api.post("/e/any", {"name": "ticket", "data": {}, "id": "order-42"})
    assert len(api.pages("runs")) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"name": "x", "ts": "now"},
        {"name": "x", "ts": 10**20},
        {"name": "x", "ts": True},
        {"name": "x", "meta": []},
        {"name": "x", "meta": {"propagated_sessions": {"a": None}}},
        {"name": "x", "data": "text"},
        {},
        3,
    ],
)
def test_a_bad_event_of_the_ecosystem_is_a_problem(api: ApiServer, event: object) -> None:
    """No stack trace, no 500."""
    assert api.refusal("POST", "/e/any", json=event)[0] == 422
