"""Pages of sessions: their numbers are the API's, and what was said is read in order."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import html_pages
from api_server import memo
from assay.dashboard.texts import percent
from assay.ids import parse, step_key
from assay.store import user_spans

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

ODD = "a/b <b>\u202e\N{ARABIC LETTER BEH}"


def texts(role: str, *words: str) -> list[dict[str, Any]]:
    """Messages of a role."""
    return [{"role": role, "parts": [{"type": "text", "content": word}]} for word in words]


def speak(server: DashboardServer, run: str, asked: list[Any], answered: list[Any]) -> None:
    """Store the span of a model's call, in the step `answer`."""
    messages = {"input": json.dumps(asked), "output": json.dumps(answered)}
    span(server, run, "answer", {f"gen_ai.{name}.messages": m for name, m in messages.items()})


def call(server: DashboardServer, run: str, seq: int, asked: object, answered: object) -> None:
    """Store a step that took messages and gave some, without a span of its own."""
    server.clock.advance(timedelta(seconds=1))
    now = server.clock.now()
    taken = json.dumps({"args": [asked], "kwargs": {}})
    values = {"input": taken, "output": json.dumps(answered)}
    row = memo(run, f"call-{seq}", seq, started_at=now, ended_at=now, **values)
    server.insert("journal", row)


def span(server: DashboardServer, run: str, step: str, attributes: dict[str, str]) -> None:
    """Store a span of the code of a step."""
    server.clock.advance(timedelta(seconds=1))
    now = server.clock.time()
    row = {
        "day": server.clock.now().date(),
        "trace": parse(run),
        "span": server.ids.span(),
        "parent": None,
        "run": parse(run),
        "step": step_key(step, 0),
        "attempt": 1,
        "name": "chat",
        "kind": "client",
        "started": now,
        "ended": now,
        "status": "unset",
        "message": None,
        "attributes": json.dumps(attributes),
        "events": "[]",
    }
    server.run(user_spans.add(server.connection, [row], project=1))


def share(rollup: dict[str, Any]) -> str:
    """A share as the list of sessions has it."""
    assert rollup["n_bool"] == rollup["n"]
    return f"{percent(rollup['mean'])} n {rollup['n']}".replace("\N{NO-BREAK SPACE}", " ")


def test_the_numbers_of_sessions_are_the_apis(dash: DashboardServer) -> None:
    """Keys, sessions, and a session's roll-up; whatever keys and ids hold."""
    dash.register("answer")
    runs = [dash.start(sessions={ODD: f"{ODD}{i % 2}"}) for i in range(3)]
    dash.finish(runs[0], "failed")
    for run, value in zip(runs, (True, False, True), strict=True):
        dash.post("scores", {"name": "good", "value": value, "run_id": run})
    dash.promise(runs[0], "later")
    (key,) = dash.get("sessions")["data"]
    (row,) = dash.look("/sessions").one("main").one("table").rows()
    assert (row["Sessions"], row["Runs"]) == (str(key["session_count"]), str(key["run_count"]))
    path = f"/sessions/{quote(ODD, safe='')}"
    rows = dash.look(path).one("main").one("table").rows()
    listed = dash.get(path[1:])["data"]
    assert [row["Runs"] for row in rows] == [str(one["run_count"]) for one in listed]
    # Shares as everywhere else: all of them are booleans.
    for row, one in zip(rows, listed, strict=True):
        (good,) = one["scores"]
        assert share(good) in row["Scores: mean, and the n runs that have it"]
    path = f"{path}/{quote(f'{ODD}0', safe='')}"
    shown = {row["Score"]: row for row in dash.look(path).one("table", id="rollup-table").rows()}
    for one in dash.get(f"{path[1:]}/scores")["data"]:
        row = shown[one["name"]]
        assert row["Runs"] == str(one["n"])
        assert row["Mean"] == ("\N{EM DASH}" if one["mean"] is None else f"{one['mean']:g}")
        assert row["Pending"] == str(one["outcomes"]["pending"])
        assert row["Timed out"] == str(one["outcomes"]["timed_out"])


def test_a_session_is_read_as_it_went(dash: DashboardServer) -> None:
    """Each message once, in the order of time, over runs; scores of a step stand beside it."""
    dash.register("answer")
    first = dash.start(sessions={"ticket": "1"})
    ask, answer = texts("user", "<i>hi\x00</i>"), texts("assistant", "hello")
    speak(dash, first, ask, answer)
    used = [{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": "{}"}]}]
    again = [*ask, *answer, *texts("user", "look it up")]
    speak(dash, first, again, used)
    second = dash.start(sessions={"ticket": "1"})
    speak(dash, second, texts("user", "thanks"), texts("assistant", "bye"))
    dash.insert("journal", memo(first, "answer", 1))
    dash.post("scores", {"name": "kind", "value": True, "run_id": first, "step_id": "answer"})
    shown = dash.look("/sessions/ticket/1")
    rows = shown.one("table", id="runs-table").one("tbody").all("tr")
    assert [row.attributes["data-key"] for row in rows] == [first, second]
    messages = shown.all("div", class_="message")
    said = [one.one("p").text for one in messages if one.all("p")]
    assert said == ["<i>hi\N{SYMBOL FOR NULL}</i>", "hello", "look it up", "thanks", "bye"]
    assert len(messages) == 6
    assert "kind" in shown.all("div", class_="turn")[1].one("div", class_="margin").text


def test_a_score_is_followed_from_run_to_run(dash: DashboardServer) -> None:
    """Shape and place say what it was; what is waited for is open, and what is missing is not 0."""
    dash.register("answer")
    runs = [dash.start(sessions={"ticket": "1"}) for _ in range(5)]
    for run, good, length in ((0, True, 2), (1, False, 4.5), (3, True, 7)):
        for name, value in (("good", good), ("length", length)):
            dash.post("scores", {"run_id": runs[run], "name": name, "value": value})
    dash.promise(runs[4], "good")
    strips = (
        dash.look("/sessions/ticket/1").one("table", id="rollup-table").all("svg", class_="strip")
    )
    assert [one.attributes["aria-label"] for one in strips] == [
        "good by run: true, false, true, pending",
        "length by run: 2, 4.5, 7",
    ]
    marks, points = strips
    drawn = [one.attributes["class"] for one in (*marks.all("circle"), *marks.all("path"))]
    assert drawn == ["true", "true", "pending", "false"]
    places = [float(one.attributes["cx"]) for one in points.all("circle")]
    heights = [float(one.attributes["cy"]) for one in points.all("circle")]
    assert places == [6, 18, 42]
    assert heights == sorted(heights, reverse=True)


def test_runs_that_talk_at_the_same_time_are_read_one_after_the_other(
    dash: DashboardServer,
) -> None:
    """Each message once in its own run, though calls of both come by turns."""
    dash.register("answer")
    runs = [dash.start(sessions={"account": "1"}) for _ in range(2)]
    policy = texts("system", "be kind")
    talks: dict[str, list[Any]] = {run: [] for run in runs}
    for turn in range(3):
        for name, run in zip("ba", reversed(runs), strict=True):
            talks[run] += texts("user", f"{name} asks {turn}")
            answer = texts("assistant", f"{name} hears {turn}")
            speak(dash, run, [*policy, *talks[run]], answer)
            talks[run] += answer
    shown = dash.look("/sessions/account/1").all("div", class_="message")
    told = [
        f"{name} {word} {turn}" for name in "ab" for turn in range(3) for word in ("asks", "hears")
    ]
    assert [one.one("p").text for one in shown if one.one("b").text != "system"] == told
    assert [one.one("b").text for one in shown].index("system") == 0


def test_a_conversation_is_read_from_steps_and_from_spans_of_any_convention(
    dash: DashboardServer,
) -> None:
    """As the panel of a span has it; a step whose own span tells of the call is not read twice."""
    dash.register("answer")
    run = dash.start(sessions={"ticket": "1"})
    asked: list[object] = [{"role": "user", "content": "where is it?"}]
    called = {
        "role": "assistant",
        "tool_calls": [{"id": "c1", "function": {"name": "find", "arguments": '{"q": "it"}'}}],
    }
    found = {"role": "tool", "tool_call_id": "c1", "content": "there"}
    answered = {"role": "assistant", "content": [{"type": "text", "text": "over there"}]}
    call(dash, run, 1, asked, {"choices": [{"message": called}]})
    call(dash, run, 2, [*asked, called, found], answered)
    call(dash, run, 3, [*asked, called, found, answered], {"role": "of nobody"})
    call(dash, run, 4, "thanks", {"role": "assistant", "content": "as its span says"})
    role = "llm.input_messages.0.message.role"
    said = "llm.input_messages.0.message.content"
    span(dash, run, "call-4", {role: "user", said: "thanks"})
    dash.post("scores", {"name": "kind", "value": True, "run_id": run, "step_id": "call-2"})
    shown = dash.look("/sessions/ticket/1")
    messages = shown.all("div", class_="message")
    roles = [message.one("b").text for message in messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert "find" in messages[1].text
    assert "there" in messages[2].text
    spoken = [message.one("p").text for message in messages if message.all("p")]
    assert spoken == ["where is it?", "over there", "thanks"]
    assert "kind" in shown.all("div", class_="turn")[3].one("div", class_="margin").text


def test_a_key_in_the_query_of_all_keys_is_refused(dash: DashboardServer) -> None:
    """The sessions of a key have a page of their own."""
    answer = dash.ask("GET", "/p/default/sessions", params={"key": "ticket_id"})
    assert (answer.status_code, "bad_filter" in answer.text) == (422, True)


def test_each_number_of_a_session_leads_to_its_rows(dash: DashboardServer) -> None:
    """Its runs, those that failed, those with a score, and what they have promised."""
    dash.register("answer")
    for ticket in ("1", "1", "1", "2"):
        run = dash.start(sessions={"ticket": ticket})
        dash.promise(run, "later", "timed_out" if ticket == "1" else "pending")
        dash.promise(run, "soon")
        dash.finish(run, "failed" if ticket == "2" else "completed")
        dash.post("scores", {"name": "kind", "value": True, "run_id": run})
    page = dash.look("/sessions/ticket/1")
    links = {
        link.attributes["href"]: int(link.text)
        for link in page.one("main").all("a")
        if link.text.isdigit()
    }
    assert sorted(links.values()) == [3, 3, 3, 3]
    for href, n in links.items():
        listed = html_pages.read(dash.ask("GET", href).text)
        rows = listed.one("main").one("tbody", data_live_rows="").all("tr")
        assert len(rows) == n, href
    (row,) = [row for row in page.one("table", id="rollup-table").rows() if row["Score"] == "kind"]
    assert re.fullmatch(r"100 % ?43\.9.100\.0.% ?n 3", row["True, 95 % interval"])
    out = html_pages.read(dash.ask("GET", [*links][-1]).text).one("ul", class_="chips").all("a")
    for way in out:
        assert dash.ask("GET", way.attributes["href"]).status_code == 200
