"""The pages of runs: what they show is what the API gives, whatever people wrote."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import html_pages
from api_server import failure, memo
from api_server import step as step_row
from assay.ids import step_key

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>\"'&\u202egnp.exe\x00\N{ARABIC LETTER ALEF}" + "x" * 200


def words(text: str) -> str:
    """Text as a page shows it."""
    return " ".join(text.replace("\x00", "\u2400").replace("\u202e", "\u27e8U+202E\u27e9").split())


def test_the_list_has_the_runs_of_the_api(dash: DashboardServer) -> None:
    """In its order, with its statuses, for the same query."""
    dash.register("answer")
    for status in ("completed", "failed", "cancelled"):
        dash.finish(dash.start(), status)
    dash.start()
    for query in ({}, {"status": "failed"}, {"limit": 2}):
        page = dash.look("/runs", **query)
        rows = page.one("tbody", data_live_rows="").all("tr")
        found = dash.get("runs", **query)
        assert [row.attributes["data-key"] for row in rows] == [run["id"] for run in found["data"]]
        statuses = [row.cells()[0].text[1:] for row in rows]
        assert statuses == [run["status"] for run in found["data"]]
        assert bool(page.all(id="next")) == (found["next"] is not None)


def test_pages_of_a_list_follow_each_other(dash: DashboardServer) -> None:
    """By the cursor, with the filters kept, and back to the newest."""
    dash.register("answer")
    runs = [dash.start() for _ in range(3)]
    first = dash.look("/runs", limit=2, status="queued")
    following = first.one("a", id="next").attributes["href"]
    assert "status=queued" in following
    second = html_pages.read(dash.ask("GET", following).text)
    rows = second.one("tbody", data_live_rows="").all("tr")
    assert [row.attributes["data-key"] for row in rows] == runs[:1]
    assert second.one("nav", class_="pager").one("a").text.endswith("Newest")


def test_heads_put_the_list_in_another_order_and_back(dash: DashboardServer) -> None:
    """The head says in which it is; the longest are those of a day unless the query says."""
    dash.register("answer")
    for status in ("completed", "failed", "completed"):
        dash.finish(dash.start(), status)
    page, ways = dash.look("/runs", status="completed"), []
    for word, other in (("Queued", "Took"), ("Took", "Queued")):
        (head,) = page.all("th", aria_sort="descending")
        assert head.text.startswith(word)
        links = [link for cell in page.all("th") for link in cell.all("a")]
        (way,) = [one for one in links if one.text == other]
        assert "status=completed" in way.attributes["href"]
        ways.append(dict(parse_qsl(urlsplit(way.attributes["href"]).query)))
        page = html_pages.read(dash.ask("GET", way.attributes["href"]).text)
        rows = page.one("tbody", data_live_rows="").all("tr")
        found = dash.get("runs", **ways[-1])["data"]
        assert [row.attributes["data-key"] for row in rows] == [run["id"] for run in found]
        assert len(rows) == 2
    day = dash.clock.now() - datetime.fromisoformat(ways[0]["queued_after"])
    assert timedelta(days=1) <= day < timedelta(days=1, minutes=1)
    assert "order" not in ways[1]


def test_a_filter_without_a_field_is_seen_and_stays(dash: DashboardServer) -> None:
    """A list that a number led to says what it is of, and can be filtered further."""
    page = dash.look("/runs", experiment="style", variant="concise")
    chips = page.one("ul", class_="chips").text
    assert "experiment style" in chips
    assert "variant concise" in chips
    form = page.one("form", id="filters")
    kept = [field.attributes for field in form.all("input") if field.attributes.get("type")]
    assert {field["name"]: field["value"] for field in kept} == {
        "experiment": "style",
        "variant": "concise",
    }


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
def test_a_time_is_taken_as_people_type_it(dash: DashboardServer, form: str) -> None:
    """A day, or a time without a zone, is one in UTC: on the page, and in what it leads to."""
    dash.register("answer")
    dash.start()
    dash.clock.advance(timedelta(days=2))
    later = dash.start()
    since = (dash.clock.now() - timedelta(days=1)).strftime(form)
    page = dash.look("/runs", queued_after=since)
    (row,) = page.one("tbody", data_live_rows="").all("tr")
    assert row.attributes["data-key"] == later
    (found,) = dash.ask("GET", f"/p/default/runs.json?queued_after={since}").json()["data"]
    assert found["id"] == later


def test_an_empty_filter_is_no_filter(dash: DashboardServer) -> None:
    """A form without JavaScript sends the fields that were left empty."""
    dash.register("answer")
    dash.start()
    page = dash.look("/runs", status="", function_id="", score_min="")
    assert len(page.one("tbody", data_live_rows="").all("tr")) == 1


def test_a_run_shows_what_the_api_knows_of_it(dash: DashboardServer) -> None:
    """Status, output, steps, scores, promises, warnings."""
    dash.register("answer")
    run = dash.start(data={"question": "why?"})
    dash.insert("journal", memo(run, "think", 1, output='"because"'), memo(run, "say", 2))
    dash.finish(run, output='{"answer": "because"}')
    dash.post("scores", {"name": "clear", "value": True, "run_id": run, "rationale": "it is"})
    dash.post("scores", {"name": "lost", "value": 1, "run_id": run, "step_id": "never"})
    dash.promise(run, "liked")
    page = dash.look(f"/runs/{run}")
    main = page.one("main").text
    assert "because" in main
    assert "why?" in main
    assert [row["Step"] for row in page.one("table", class_="steps").rows()] == ["think", "say"]
    (scores,) = [t for t in page.all("table", class_="grid") if "Counts for" in t.one("thead").text]
    assert {row["Score"] for row in scores.rows()} == {"clear", "lost"}
    assert "it is" in scores.text
    assert "never ran" in scores.text
    assert "pending" in main
    for warning in dash.get(f"runs/{run}")["warnings"]:
        assert warning in main


def test_the_help_of_a_run_has_the_keys_of_its_trace(dash: DashboardServer) -> None:
    """All that the documents name; other pages have none of them."""
    dash.register("answer")
    keys = (ROOT / "docs" / "dashboard.md").read_text().split("## Traces")[1]
    named = set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (.+?) \|", keys, re.MULTILINE))))
    told = [
        {key.text for key in dash.look(path).one("dialog", id="help").all("kbd")}
        for path in (f"/runs/{dash.start()}", "/runs")
    ]
    assert named - {"g", "?"} <= told[0]
    assert not {"z", "0"} & told[1]


def test_a_failed_run_says_first_what_was_wrong(dash: DashboardServer) -> None:
    """Its error, and the step that failed with its attempts."""
    dash.register("answer")
    run = dash.start()
    error = failure("ToolError", "no such user")
    dash.insert("journal", memo(run, "look-up", 1, error=error, attempts=3))
    dash.finish(run, "failed", error=error)
    page = dash.look(f"/runs/{run}")
    notes = [note.text for note in page.all(class_="note")]
    assert any("ToolError" in note and "no such user" in note for note in notes)
    assert any("look-up" in note for note in notes)


def test_a_waiting_run_says_for_what(dash: DashboardServer) -> None:
    """The event and when it gives up; and the panel of the wait says the same."""
    dash.register("answer")
    run = dash.start()
    began, ends = dash.clock.now(), dash.clock.now() + timedelta(hours=3)
    dash.claim(run)
    dash.insert(
        "waits",
        step_row(run, "approval")
        | {"kind": "wait", "span": 9, "event_name": "order/approved", "since": began}
        | {"registered_at": began, "expires_at": ends},
    )
    dash.park(run)
    note = next(note for note in dash.look(f"/runs/{run}").all(class_="note"))
    assert "order/approved" in note.text
    assert "gives up in 3" in note.text
    panel = dash.look(f"/runs/{run}/spans/{9:016x}").text
    assert "waiting" in panel
    assert "order/approved" in panel


def test_the_time_before_the_next_attempt_is_not_in_the_step(dash: DashboardServer) -> None:
    """A run that is to be tried again says when, and why."""
    dash.register("answer")
    run = dash.start()
    began = dash.clock.now()
    dash.claim(run)
    dash.insert(
        "attempts",
        step_row(run, "call")
        | {"attempt": 1, "error": failure("Timeout", "slow"), "worker_id": dash.worker, "span": 5}
        | {"started_at": began, "ended_at": began + timedelta(seconds=1)}
        | {"retry_at": began + timedelta(hours=1)},
    )
    dash.park(run)
    dash.clock.advance(timedelta(minutes=10))
    page = dash.look(f"/runs/{run}")
    assert "Timeout: slow" in page.one(class_="note").text
    spent = page.one("dl", class_="spent").text
    assert "in steps 1 s" in spent
    assert "between attempts 9 min 59 s" in spent


def test_a_step_opens_with_its_values_messages_and_attempts(dash: DashboardServer) -> None:
    """As a fragment for the panel, and within the run's page without JavaScript."""
    dash.register("answer")
    run = dash.start()
    said = [{"role": "user", "content": "Hello"}]
    answer: dict[str, Any] = {
        "role": "assistant",
        "content": "One moment",
        "tool_calls": [{"function": {"name": "find_user", "arguments": '{"id": 7}'}}],
    }
    row = memo(run, "chat", 1, attempts=2, span=5)
    dash.insert(
        "journal", row | {"input": json.dumps({"args": [said]}), "output": json.dumps(answer)}
    )
    dash.insert(
        "attempts",
        {
            "run_id": row["run_id"],
            "step": row["step"],
            "attempt": 1,
            "name": "chat",
            "idx": 0,
            "error": failure("Timeout", "slow"),
            "worker_id": dash.worker,
            "span": 5,
            "started_at": dash.clock.now(),
            "ended_at": dash.clock.now(),
        },
    )
    dash.user_span(run, "model call", parent=5, step=step_key("chat", 0), attempt=2)
    (step,) = dash.get(f"runs/{run}")["steps"]
    panel = dash.look(f"/runs/{run}/spans/{step['span_id']}")
    assert not panel.all("html")
    messages = [message.text for message in panel.all(class_="message")]
    assert "Hello" in messages[0]
    assert "find_user" in messages[1]
    assert "Timeout: slow" in panel.text
    assert "model call" in panel.text
    inside = dash.look(f"/runs/{run}", span=step["span_id"]).one(id="panel")
    assert "find_user" in inside.text
    inner = dash.look(f"/runs/{run}/spans/{42:016x}")
    assert "gen_ai.usage.input_tokens" in inner.text
    missing = dash.ask("GET", f"/p/default/runs/{run}/spans/{65535:016x}")
    assert (missing.status_code, "span_not_found" in missing.text) == (404, True)


def test_hostile_text_shows_as_text(dash: DashboardServer) -> None:
    """In every field of a run that a person or a program can fill."""
    dash.register(HOSTILE.replace("\x00", ""))
    run = dash.start(data={"text": HOSTILE.replace("\x00", "")}, sessions={"key": "<b>&'\""})
    dash.insert("journal", memo(run, "<img src=x>", 1, output=json.dumps(HOSTILE)))
    dash.finish(run, output=json.dumps(HOSTILE + "\ud800"))
    dash.post(
        "scores",
        {
            "name": "<i>&",
            "value": 1,
            "run_id": run,
            "author": "<b>",
            "rationale": "</textarea>",
        },
    )
    (step,) = dash.get(f"runs/{run}")["steps"]
    for path in (
        "/runs",
        "/",
        "/functions",
        "/events",
        f"/runs/{run}",
        f"/runs/{run}/peek",
        f"/runs/{run}/spans/{step['span_id']}",
    ):
        text = dash.ask("GET", f"/p/default{path}").text
        page = html_pages.read(text)
        assert not [s for s in page.all("script") if "src" not in s.attributes], path
        assert not page.all("img"), path
        assert "\x00" not in text
        assert "\u202e" not in text
    shown = dash.look(f"/runs/{run}")
    assert words(HOSTILE)[:80] in shown.one("main").text
    assert "\u27e8U+D800\u27e9" in shown.text or "\\ud800" in shown.text
    assert "</textarea>" in shown.text


def test_a_run_is_scored_by_hand(dash: DashboardServer) -> None:
    """With a reason and an author; it shows at once, as a person's."""
    dash.register("answer")
    run = dash.start()
    fields = {"name": "kind", "value": "true", "author": "Ada", "rationale": "friendly\r\nand so"}
    answered = dash.act(f"/runs/{run}/score", **fields)
    assert answered.status_code == 303
    assert answered.headers["location"].startswith(f"/p/default/runs/{run}")
    (score,) = dash.get(f"runs/{run}/scores")["data"]
    assert (score["value"], score["source"], score["author"]) == (True, "human", "Ada")
    assert score["rationale"] == "friendly\nand so"
    assert "friendly" in dash.look(f"/runs/{run}").one("main").text


def test_a_score_that_is_none_is_refused_beside_its_form(dash: DashboardServer) -> None:
    """What was filled in is still there."""
    dash.register("answer")
    run = dash.start()
    for value in ("much", "nan", "1e999", "9" * 400):
        refused = dash.act(f"/runs/{run}/score", name="kind", value=value, rationale="because")
        page = html_pages.read(refused.text)
        assert refused.status_code == 422
        assert "score_value" in page.one(role="alert").text
        assert page.one("input", name="value").attributes["value"] == value
        assert page.one("textarea", name="rationale").text == "because"
    assert dash.get(f"runs/{run}/scores")["data"] == []


def test_a_run_is_cancelled(dash: DashboardServer) -> None:
    """Only a live one has the button, which asks before."""
    dash.register("answer")
    run = dash.start()
    form = dash.look(f"/runs/{run}").one("form", action=f"/p/default/runs/{run}/cancel")
    assert "can't be undone" in form.attributes["data-confirm"]
    assert dash.act(f"/runs/{run}/cancel").status_code == 303
    assert dash.get(f"runs/{run}")["status"] == "cancelled"
    assert not dash.look(f"/runs/{run}").all("form", action=f"/p/default/runs/{run}/cancel")


@pytest.mark.parametrize("path", ["/runs/{run}/cancel", "/runs/{run}/score", "/events/send"])
def test_an_action_from_elsewhere_does_nothing(dash: DashboardServer, path: str) -> None:
    """Another site, or another port of this machine."""
    dash.register("answer")
    run = dash.start()
    fields = {"name": "ticket", "value": "1", "data": "{}"}
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "http://127.0.0.1:1"}):
        url = "/p/default" + path.format(run=run)
        assert dash.ask("POST", url, data=fields, headers=headers).status_code == 403
    assert dash.get(f"runs/{run}")["status"] == "queued"
    assert dash.get(f"runs/{run}/scores")["data"] == []
    assert len(dash.get("events")["data"]) == 1
