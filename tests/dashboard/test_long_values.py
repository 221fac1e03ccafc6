"""What is too long for a page is cut, and said to be, with the way to all of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import html_pages
from api_server import failure, memo

if TYPE_CHECKING:
    from dashboard_server import DashboardServer

LONG = "long " * 50_000


def test_whatever_is_cut_leads_to_all_of_it(dash: DashboardServer) -> None:
    """Of a run, a step, a message, an error and an event, on each page and in each panel."""
    dash.register("answer")
    run, failed = (dash.start(data={"text": LONG}, sessions={"ticket": "1"}) for _ in range(2))
    said = {"role": "assistant", "content": LONG}
    taken = {"args": [[{"role": "user", "content": LONG}]], "kwargs": {}}
    row = memo(run, "call", 1, input=json.dumps(taken), output=json.dumps(said))
    dash.insert("journal", row)
    dash.finish(run, output=json.dumps({"text": LONG}))
    dash.finish(failed, "failed", error=failure(data=json.dumps({"text": LONG})))
    (step,) = dash.get(f"runs/{run}")["steps"]
    (event,) = dash.get(f"runs/{run}")["event_ids"]
    for path, count in {
        f"/runs/{run}": 2,
        f"/runs/{run}/peek": 1,
        f"/runs/{run}/spans/{step['span_id']}": 4,
        f"/runs/{failed}": 2,
        f"/runs/compare?a={run}&b={failed}": 3,
        f"/events/{event}": 1,
        "/sessions/ticket/1": 2,
    }.items():
        page = html_pages.read(dash.ask("GET", f"/p/default{path}").text)
        notes = [one for one in page.all("p") if "the whole stands in" in one.text]
        assert len(notes) == count, path
        for note in notes:
            whole = dash.ask("GET", note.one("a").attributes["href"])
            assert whole.status_code == 200, path
            assert LONG in whole.text
