"""Traces as pages: a table of their first spans, and what the waterfall draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import big_traces
from assay.dashboard.texts import duration

if TYPE_CHECKING:
    from dashboard_server import DashboardServer


def test_the_first_spans_of_a_trace_are_a_table(dash: DashboardServer) -> None:
    """As many as 200, and how many there are; each leads to its run with the span open."""
    dash.register("answer")
    run = big_traces.large(dash, 300)
    page = dash.look(f"/runs/{run}/trace")
    skeleton = dash.get(f"runs/{run}/trace/skeleton")
    rows = page.one("main").one("table").rows()
    names = [skeleton["names"][name] for name in skeleton["spans"]["name"]]
    assert [row["Span"] for row in rows] == names[:200]
    assert rows[2]["Level"] == "2"
    assert [row["Start"] for row in rows] == [
        " ".join(duration(start / 1e6).split()) for start in skeleton["spans"]["start"][:200]
    ]
    assert "The first 200 of 301 spans" in page.one("main").text
    href = f"/runs/{run}?span={skeleton['spans']['id'][1]}"
    assert any(link.attributes["href"].endswith(href) for link in page.all("a"))


def test_what_the_waterfall_draws_is_the_apis_answer_and_packed(dash: DashboardServer) -> None:
    """For a browser, which says that it can unpack it."""
    dash.register("answer")
    run = big_traces.large(dash, 300)
    path = f"/p/default/runs/{run}/trace.json"
    answer = dash.ask("GET", path, headers={"accept-encoding": "gzip"})
    skeleton = dash.get(f"runs/{run}/trace/skeleton")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["spans"] == skeleton["spans"]


def test_a_span_of_another_run_of_the_trace_is_left_to_the_waterfall(
    dash: DashboardServer,
) -> None:
    """The page of a run stays, whatever span its address names."""
    dash.register("answer")
    page = dash.look(f"/runs/{dash.start()}", span="0" * 16)
    assert page.one("aside", id="panel").attributes.get("hidden") is not None


def test_a_run_has_its_trace_without_scripts(dash: DashboardServer) -> None:
    """Its first rows, as on the page of the trace; of one that takes long to read the way to it."""
    dash.register("answer")
    run = big_traces.large(dash, 300)
    bare = dash.look(f"/runs/{run}").one("noscript")
    whole = dash.look(f"/runs/{run}/trace").one("main").one("table")
    assert bare.one("table").rows() == whole.rows()
    assert "the first 200 of 301" in bare.text
    large = big_traces.large(dash, 1_100)
    page = dash.look(f"/runs/{large}")
    assert page.all("noscript") == []
    assert [a for a in page.all("a") if a.attributes["href"].endswith(f"/runs/{large}/trace")]
    cut = dash.get(f"runs/{large}/trace/skeleton", limit=1_000)
    assert not cut["is_complete"]
    assert dash.get(f"runs/{large}/trace/skeleton")["is_complete"]
