"""Finding by some letters: each kind of thing, said beside its name, the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assay.ids import to_text
from dashboard_server import DashboardServer
from project_story import tell
from project_words import Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.testing import Databases
    from project_story import Story

Told = tuple[DashboardServer, "Story"]


@pytest.fixture(scope="module", params=[Words(), hostile()], ids=["usual", "hostile"])
def told(request: pytest.FixtureRequest, assay_databases: Databases) -> Iterator[Told]:
    """A project in usual words, and the same in the worst."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        yield server, tell(server, request.param)


def found(server: DashboardServer, text: str) -> list[tuple[str, str]]:
    """What is offered for some letters: its kind and where it leads."""
    lists = server.look("/find", q=text).all("ul", id="found")
    return [
        (item.one("small").text, item.one("a").attributes["href"])
        for item in (lists[0].all("li") if lists else [])
        if item.all("a")
    ]


def test_everything_with_a_name_is_found_by_it(told: Told) -> None:
    """And the link leads to its page, whatever it is called."""
    server, story = told
    words = story.words
    names = {
        "function": words.function,
        "scorer": words.scorer,
        "experiment": words.tried,
        "score": words.rating,
        "session key": words.session_key,
        "session": words.session_id,
        "events": words.event,
        "run": story.runs["failed"],
        "event": story.events[0],
    }
    for kind, name in names.items():
        places = [href for what, href in found(server, name.upper()) if what == kind]
        if kind == "session":
            # Their ids are looked up in an index, letter by letter.
            places = [href for what, href in found(server, name) if what == kind]
        assert len(places) == 1, (kind, places)
        assert server.ask("GET", places[0]).status_code == 200


def test_names_that_begin_with_the_text_come_first(dash: DashboardServer) -> None:
    """Then those that have it elsewhere; ten of a kind at most."""
    dash.register("re-answer", "answer", *(f"some-answer-{n:02}" for n in range(12)))
    ids = [href.rpartition("/")[2] for kind, href in found(dash, "ANSW") if kind == "function"]
    assert ids == ["answer", "re-answer", *(f"some-answer-{n:02}" for n in range(8))]


def test_an_id_is_found_by_how_it_begins_or_by_the_end_that_pages_show(
    dash: DashboardServer,
) -> None:
    """A run and the event that started it."""
    dash.register("answer")
    run = dash.start()
    (event,) = dash.get("events")["data"]
    for kind, id_ in (("run", run), ("event", event["id"])):
        place = (kind, f"/p/default/{kind}s/{id_}")
        for text in (id_, id_.lower(), id_[:24], f"\N{HORIZONTAL ELLIPSIS}{id_[-6:]}", id_[-6:]):
            assert place in found(dash, text), text
    assert found(dash, to_text(dash.ulid())) == []


def test_a_session_is_found_by_how_it_begins(dash: DashboardServer) -> None:
    """Of any key, the very id first, or of the key that is named."""
    dash.register("answer")
    for sessions in ({"chat": "ab"}, {"chat": "abc"}, {"chat": "b"}, {"user": "abd"}):
        dash.start(sessions=sessions)
    below = "/p/default/sessions/"
    assert [href.removeprefix(below) for kind, href in found(dash, "ab") if kind == "session"] == [
        "chat/ab",
        "user/abd",
        "chat/abc",
    ]
    assert found(dash, "user=a") == [("session", f"{below}user/abd")]


def test_names_of_events_are_found_before_there_is_one(dash: DashboardServer) -> None:
    """That a function starts on, but not a pattern of names."""
    dash.register("answer", event="ticket/created")
    dash.register("watch", event="ticket/*")
    assert found(dash, "ticket") == [("events", "/p/default/events?name=ticket%2Fcreated")]


def test_one_of_very_many_scores_is_found_by_how_it_begins(dash: DashboardServer) -> None:
    """Where the names are too many to be looked through."""
    dash.register("answer")
    run = dash.start()
    for number in range(201):
        dash.post("scores", {"run_id": run, "name": f"a{number:03}", "value": 1})
    dash.post("scores", {"run_id": run, "name": "zeal", "value": 1})
    for text in ("ze", "zeal"):
        assert found(dash, text) == [("score", "/p/default/scores/zeal")]


def test_pages_are_found_and_what_is_not_there_is_said(dash: DashboardServer) -> None:
    """Without a script, too; a text that nothing can be called is an answer, not a fault."""
    assert found(dash, "event") == [
        ("page", "/p/default/events/send"),
        ("page", "/p/default/events"),
    ]
    for text in ("nothing at all", "\0", "x" * 5_000, "%_\\"):
        assert "Nothing is called that" in dash.look("/find", q=text).one("main").text
    assert "By some letters" in dash.look("/find", q=" ").one("main").text
