"""Sessions over HTTP: they group runs, and change nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from api_server import failure
from assay.wire.rollups import SessionScore
from assay.wire.sessions import SessionKey, SessionSummary

if TYPE_CHECKING:
    from api_server import ApiServer


def test_sessions_never_change_which_functions_run(api: ApiServer) -> None:
    """The same event starts the same functions with and without."""
    api.register("answer", "triage")
    for sessions in (None, {"ticket": "1"}):
        api.post("events", {"events": [{"name": "ticket", "data": {}, "sessions": sessions}]})
    started = [(run["function_id"], bool(run["sessions"])) for run in api.pages("runs")]
    assert sorted(started) == [
        ("answer", False),
        ("answer", True),
        ("triage", False),
        ("triage", True),
    ]


def test_runs_of_two_functions_with_the_same_pair_list_together(api: ApiServer) -> None:
    """With what the session is in numbers."""
    api.register("answer")
    api.register("triage", event="other")
    first = api.start(sessions={"ticket": "1"})
    second = api.start(name="other", sessions={"ticket": "1", "user": "u"})
    third = api.start(sessions={"ticket": "2"})
    api.finish(first, "failed", error=failure())
    api.finish(second, "completed", output="1")

    newer, older = api.pages("sessions/ticket", limit=1)

    SessionSummary.model_validate(older)
    assert (newer["id"], newer["run_count"], newer["failure_rate"]) == ("2", 1, None)
    assert (older["id"], older["run_count"], older["failed_run_count"]) == ("1", 2, 1)
    assert (older["failure_rate"], older["failure_rate_n"]) == (0.5, 2)
    assert older["functions"] == ["answer", "triage"]
    assert [run["id"] for run in api.pages("sessions/ticket/1/runs", limit=1)] == [second, first]
    assert [run["id"] for run in api.pages("sessions/ticket/2/runs")] == [third]
    assert api.get("sessions/ticket/1") == older
    assert api.pages("sessions", key="ticket") == [newer, older]


def test_keys_are_listed_with_their_counts(api: ApiServer) -> None:
    """In pages by key."""
    api.register("answer")
    api.start(sessions={"b": "1"})
    api.start(sessions={"b": "2", "a": 1.5})
    keys = api.pages("sessions", limit=1)
    for key in keys:
        SessionKey.model_validate(key)
    assert [(one["key"], one["session_count"], one["run_count"]) for one in keys] == [
        ("a", 1, 1),
        ("b", 2, 2),
    ]


def test_sessions_page_by_their_newest_run_as_of_the_first_page(api: ApiServer) -> None:
    """One that becomes active meanwhile is neither missed nor shown twice."""
    api.register("answer")
    for id_ in ("1", "2", "3", "4"):
        api.start(sessions={"ticket": id_})
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("sessions/ticket", limit=1, **cursor)
        seen += [one["id"] for one in page["data"]]
        api.start(sessions={"ticket": "1"})
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["4", "3", "2", "1"]
    assert api.get("sessions/ticket")["data"][0]["id"] == "1"


@pytest.mark.parametrize(
    ("sessions", "status"),
    [
        ({f"k{number}": "1" for number in range(5)}, 200),
        ({f"k{number}": "1" for number in range(6)}, 422),
        ({"k" * 128: "i" * 512}, 200),
        ({"é" * 65: "1"}, 422),
        ({"k": "é" * 257}, 422),
        ({"k": ""}, 422),
        ({"": "1"}, 422),
        ({"k": True}, 422),
        ({"k": ["1"]}, 422),
        ({"k": {"a": 1}}, 422),
        ({"k": "a\0"}, 422),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_pair_keeps_its_limits(api: ApiServer, sessions: dict[str, Any], status: int) -> None:
    """In bytes of UTF-8; too many are an error, never cut."""
    event = {"name": "x", "data": {}, "sessions": sessions}
    response = api.ask("POST", "events", json={"events": [event]})
    assert response.status_code == status


def test_numbers_become_their_text_and_tombstones_are_used_up(api: ApiServer) -> None:
    """Null and an empty object add nothing."""
    for sessions, kept in (
        ({"k": 7, "f": 1.5, "gone": None}, [{"key": "f", "id": "1.5"}, {"key": "k", "id": "7"}]),
        (None, []),
        ({}, []),
    ):
        body = {"events": [{"name": "x", "data": {}, "sessions": sessions}]}
        (id_,) = api.post("events", body)["event_ids"]
        assert api.get(f"events/{id_}")["sessions"] == kept


@pytest.mark.parametrize(
    ("meta", "kept"),
    [
        ({"propagated_sessions": {"a": "1", "b": "2"}}, {"a": "1", "b": "2"}),
        ({"propagated_sessions": {"a": "1"}, "sessions": {}}, {"a": "1"}),
        ({"propagated_sessions": {"a": "1"}, "sessions": None}, {}),
        ({"propagated_sessions": {"a": "1", "b": "2"}, "sessions": {"a": None}}, {"b": "2"}),
        ({"propagated_sessions": {"a": "1"}, "sessions": {"a": "9"}}, {"a": "9"}),
        ({"propagated_sessions": None, "sessions": {"a": "9"}}, {"a": "9"}),
        (
            {
                "propagated_sessions": {"z": "1", "y": "1", "é": "1"},
                "sessions": {"a": "1", "b": "1", "c": "1", "d": "1"},
            },
            {"a": "1", "b": "1", "c": "1", "d": "1", "y": "1"},
        ),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_the_ecosystems_two_layers_fold(
    api: ApiServer, meta: dict[str, Any], kept: dict[str, str]
) -> None:
    """The author's stay, inherited ones fill up in the byte order of their keys."""
    (id_,) = api.post("/e/any", {"name": "x", "meta": meta})["ids"]
    shown = api.get(f"events/{id_}")["sessions"]
    assert {pair["key"]: pair["id"] for pair in shown} == kept


@pytest.mark.parametrize(
    ("key", "id_"),
    [
        ("a/b", "c/runs"),
        ("..", "."),
        ("?", "#"),
        ("%2F", "%"),
        ("é", "\U0001f4a9"),
        ("' OR 1=1 --", "<script>"),
        (" ", "a b"),
    ],
)
def test_keys_and_ids_may_hold_any_text(api: ApiServer, key: str, id_: str) -> None:
    """Percent-encoded in a path."""
    api.register("answer")
    run = api.start(sessions={key: id_})
    path = f"sessions/{encoded(key)}/{encoded(id_)}"

    assert api.get(path)["id"] == id_
    assert [one["id"] for one in api.get(f"{path}/runs")["data"]] == [run]
    assert [one["id"] for one in api.get(f"sessions/{encoded(key)}")["data"]] == [id_]
    assert [r["id"] for r in api.pages("runs", session_key=key, session_id=id_)] == [run]


def encoded(text: str) -> str:
    """A part of a path; dots too, which clients would resolve."""
    return quote(text, safe="").replace(".", "%2E")


def test_scores_are_rolled_up_over_a_session_with_the_run_as_unit(api: ApiServer) -> None:
    """A run with three scored steps counts once; missing is never 0."""
    api.register("answer")
    runs = [api.start(sessions={"ticket": "1"}) for _ in range(4)]
    for value, step in ((True, "a"), (False, "b"), (True, "c")):
        api.post("scores", {"run_id": runs[0], "step_id": step, "name": "ok", "value": value})
    api.post("scores", {"run_id": runs[1], "name": "ok", "value": False})
    api.post("scores", {"run_id": runs[1], "name": "speed", "value": 4})
    api.post("scores", {"run_id": runs[2], "name": "speed", "value": 2})
    api.promise(runs[3], "liked")
    api.promise(runs[2], "liked", "timed_out")

    rolled = {one["name"]: one for one in api.get("sessions/ticket/1/scores")["data"]}
    for one in rolled.values():
        SessionScore.model_validate(one)

    assert (rolled["ok"]["n"], rolled["ok"]["min"], rolled["ok"]["n_bool"]) == (2, 0, 2)
    assert rolled["ok"]["mean"] == rolled["ok"]["true_share"] == pytest.approx(1 / 3)
    speed = rolled["speed"]
    assert (speed["n"], speed["mean"], speed["max"], speed["true_share"]) == (2, 3, 4, None)
    assert "not a boolean" in speed["reason"]
    liked = rolled["liked"]
    assert (liked["n"], liked["mean"], liked["min"]) == (0, None, None)
    assert liked["reason"].endswith("promised: 1 pending, 1 timed_out")
    assert (liked["outcomes"]["pending"], liked["outcomes"]["observed"]) == (1, 0)
    listed = {one["name"]: one["n"] for one in api.get("sessions/ticket/1")["scores"]}
    assert listed == {"ok": 2, "speed": 2}


def test_booleans_aggregate_as_one_and_zero(api: ApiServer) -> None:
    """True, false, true is two thirds."""
    api.register("answer")
    for value in (True, False, True):
        run = api.start(sessions={"ticket": "1"})
        api.post("scores", {"run_id": run, "name": "ok", "value": value})
    (rolled,) = api.get("sessions/ticket/1/scores")["data"]
    assert (rolled["n"], rolled["true_share"]) == (3, pytest.approx(2 / 3))


def test_a_session_without_runs_is_404(api: ApiServer) -> None:
    """Its list of runs is empty."""
    assert api.refusal("GET", "sessions/a/b")[:2] == (404, "session_not_found")
    assert api.refusal("GET", "sessions/a/b/scores")[:2] == (404, "session_not_found")
    assert api.get("sessions/a/b/runs") == {"data": [], "next": None}
    assert api.get("sessions/a") == {"data": [], "next": None}


def test_a_session_is_as_active_as_its_last_run(api: ApiServer) -> None:
    """Its end counts too."""
    api.register("answer")
    run = api.start(sessions={"ticket": "1"})
    before = api.get("sessions/ticket/1")["last_active_at"]
    api.clock.advance(timedelta(seconds=5))
    api.finish(run)
    assert api.get("sessions/ticket/1")["last_active_at"] > before
