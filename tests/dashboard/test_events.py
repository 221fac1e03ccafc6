"""The pages of events: the log, what an event came to, and sending one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import html_pages

if TYPE_CHECKING:
    from dashboard_server import DashboardServer


def test_the_log_says_what_each_event_came_to(dash: DashboardServer) -> None:
    """How many runs it started, in the order of the API."""
    dash.register("answer")
    dash.start(data={"text": "hello"})
    dash.start_nothing()
    rows = dash.look("/events").one("tbody", data_live_rows="").all("tr")
    events = dash.get("events")["data"]
    assert [row.attributes["data-key"] for row in rows] == [one["id"] for one in events]
    (table,) = dash.look("/events", name="ticket").all("table", class_="grid")
    (row,) = table.rows()
    assert (row["Name"], row["Started"], row["Woke"]) == ("ticket", "1", "0")
    assert "hello" in row["Data"]


def test_an_event_leads_to_the_runs_that_it_started(dash: DashboardServer) -> None:
    """And says why there may be none."""
    dash.register("answer")
    run = dash.start(data={"text": "hello"})
    (event,) = dash.get("events")["data"]
    page = dash.look(f"/events/{event['id']}")
    assert [row.attributes["data-key"] for row in page.all("tr", data_key=run)] == [run]
    assert "hello" in page.one("pre", aria_label="data").text
    assert dash.ask("GET", f"/p/default/events/{run}").status_code == 404


def test_a_duplicate_leads_to_the_event_that_had_its_key(dash: DashboardServer) -> None:
    """On its own page, and the log marks it."""
    dash.register("answer")
    sent = {"events": [{"name": "ticket", "data": {}, "key": "order-42"}]}
    (first,), (second,) = (dash.post("events", sent)["event_ids"] for _ in range(2))
    page = dash.look(f"/events/{second}")
    assert [link.text for link in page.all("a", href=f"/p/default/events/{first}")]
    assert "started and woke nothing" in page.text
    assert "Duplicate of" not in dash.look(f"/events/{first}").text
    rows = dash.look("/events").one("tbody", data_live_rows="").all("tr")
    marked = {row.attributes["data-key"]: "duplicate" in row.text for row in rows}
    assert marked == {first: False, second: True}


def test_an_event_is_sent_from_a_form(dash: DashboardServer) -> None:
    """It counts like any other, and its page shows at once what it started."""
    dash.register("answer")
    form = dash.look("/events/send")
    assert form.one("input", name="name").attributes["value"] == "ticket"
    sent = dash.act("/events/send", name="ticket", data='{"n": 1}', sessions="a=b\nc=d=e")
    assert sent.status_code == 303
    event = dash.get(f"events/{sent.headers['location'].rsplit('/', 1)[1]}")
    assert event["data"] == {"n": 1}
    assert event["sessions"] == [{"key": "a", "id": "b"}, {"key": "c", "id": "d=e"}]
    assert len(event["started_runs"]) == 1


def nested(depth: int) -> str:
    """Data that may be read and not be written."""
    return '{"a": ' + "[" * depth + "]" * depth + "}"


def test_what_is_no_event_is_refused_beside_its_form(dash: DashboardServer) -> None:
    """With what was written still there."""
    for fields, code in (
        ({"name": "ticket", "data": "{"}, "bad_json"),
        ({"name": "ticket", "data": "[1]"}, "event_data"),
        ({"name": "ticket", "data": "[" * 5_000}, "bad_json"),
        *(({"name": "ticket", "data": nested(n)}, "") for n in range(500, 1_000, 20)),
        ({"name": "", "data": "{}"}, "form_invalid"),
        ({"name": "ticket", "data": "{}", "sessions": "x"}, "bad_session"),
        ({"name": "ticket", "data": "{}", "sessions": "a=b\na = c"}, "bad_session"),
    ):
        refused = dash.act("/events/send", **fields)
        page = html_pages.read(refused.text)
        assert 400 <= refused.status_code < 500
        assert code in page.one(role="alert").text
        assert page.one("textarea", name="data").text == fields["data"]
    assert dash.get("events")["data"] == []


def test_an_event_is_sent_again_as_it_was(dash: DashboardServer) -> None:
    """The form holds its name, data and sessions."""
    dash.register("answer")
    dash.start(data={"text": "hello"}, sessions={"key": "7"})
    (event,) = dash.get("events")["data"]
    page = dash.look("/events/send", again=event["id"])
    assert page.one("input", name="name").attributes["value"] == "ticket"
    assert '"hello"' in page.one("textarea", name="data").text
    assert page.one("textarea", name="sessions").text == "key=7"
