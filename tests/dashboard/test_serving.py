"""How pages are served: headers, caching, refusals, and the API's own answers beside them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

import html_pages
from assay.dashboard import statics
from assay.dashboard.registry import PAGES

if TYPE_CHECKING:
    from assay.dashboard.page import Page
    from dashboard_server import DashboardServer


def test_the_root_leads_to_the_project(dash: DashboardServer) -> None:
    """Whoever opens the server's address sees the dashboard."""
    assert dash.ask("GET", "/").headers["location"] == "/p/default/"
    assert dash.look("/").one("h1").text == "Overview"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/p/default", "/p/default/"),
        ("/p/default//", "/p/default/"),
        ("/p/default/runs/?status=failed", "/p/default/runs?status=failed"),
        ("/p/default/sessions/a%2Fb%3F/", "/p/default/sessions/a%2Fb%3F"),
        ("/p/default/runs/X/score", "/p/default/runs/X"),
        ("/p/default/experiments/a%2Fb/stop", "/p/default/experiments/a%2Fb"),
    ],
)
def test_an_address_that_is_nearly_right_leads_on(
    dash: DashboardServer, typed: str, meant: str
) -> None:
    """A slash too few or too many, or what a refused form leaves in the address bar."""
    assert dash.ask("GET", typed).headers["location"] == meant


def test_pages_are_sealed(dash: DashboardServer) -> None:
    """Scripts and styles of this server alone, in no frame, without inline code."""
    headers = dash.ask("GET", "/p/default/runs").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_static_files_are_kept_for_ever_under_their_hash(dash: DashboardServer) -> None:
    """A changed file has another address; one that is asked for by an old address is not kept."""
    name = statics.path_of("assay.css")
    kept = dash.ask("GET", name, headers={"accept-encoding": "gzip"})
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
    old = dash.ask("GET", "/static/000000000000/assay.css")
    assert old.headers["cache-control"] == "no-cache"
    assert dash.ask("GET", "/static/000000000000/../site.py").status_code == 404


def test_a_list_as_json_is_the_apis_own_answer(dash: DashboardServer) -> None:
    """The same query, the same bytes, good or refused."""
    dash.register("a")
    for _ in range(3):
        dash.start()
    for query in ("", "?limit=2", "?function_id=a&status=queued", "?bogus=1"):
        page = dash.ask("GET", f"/p/default/runs.json{query}")
        api = dash.ask("GET", f"/api/v1/runs{query}")
        assert (page.status_code, page.content) == (api.status_code, api.content)


def test_a_list_as_csv_has_every_row(dash: DashboardServer) -> None:
    """Over all pages, in the API's fields; what a spreadsheet would run is made text."""
    dash.register("a", event="=cmd()")
    runs = {dash.start(name="=cmd()") for _ in range(3)}
    answered = dash.ask("GET", "/p/default/runs.csv")
    assert answered.headers["content-disposition"] == 'attachment; filename="runs.csv"'
    text = answered.text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["id"] for row in rows} == runs
    events = csv.DictReader(io.StringIO(dash.ask("GET", "/p/default/functions.csv").text))
    assert [row["id"] for row in events] == ["a"]


@pytest.mark.parametrize("ending", [".json", ".csv"])
def test_a_name_with_an_ending_is_reached_as_it_is_typed(
    dash: DashboardServer, ending: str
) -> None:
    """With its ending, unless something is called what stands before that: then it is exported."""
    place = f"/p/default/experiments/exp{ending}"
    assert dash.ask("GET", place).status_code == 404
    dash.insert("experiments", {"name": f"exp{ending}", "first_seen": dash.clock.now()})
    typed = dash.ask("GET", place)
    assert typed.status_code == 303
    assert typed.headers["location"] == f"/p/default/experiments/exp%2E{ending[1:]}"
    page = html_pages.read(dash.ask("GET", typed.headers["location"]).text)
    assert page.one("h1").text == f"exp{ending}"
    dash.insert("experiments", {"name": "exp", "first_seen": dash.clock.now()})
    assert "html" not in dash.ask("GET", place).headers["content-type"]


@pytest.mark.parametrize("name", ["exp.json", "exp.csv", "a/b.json", "تجربة.csv", "exp"])
def test_a_name_that_ends_as_an_export_does_has_a_page(dash: DashboardServer, name: str) -> None:
    """The list leads to it, and its own JSON and CSV are called by its name, with one ending."""
    dash.insert("experiments", {"name": name, "first_seen": dash.clock.now().isoformat()})
    (link,) = [one for one in dash.look("/experiments").all("a") if one.text == name]
    shown = dash.ask("GET", link.attributes["href"])
    assert "<!doctype html>" in shown.text.lower()
    assert dash.ask("GET", f"{link.attributes['href']}.json").json()["experiment"] == name
    told = dash.ask("GET", f"{link.attributes['href']}.csv").headers["content-disposition"]
    plain = name.removesuffix(".csv")
    assert unquote(told).count(".csv") == told.count("filename")
    assert f"experiments-{plain}.csv" in unquote(told)


def test_a_record_as_csv_is_one_row(dash: DashboardServer) -> None:
    """An event too, whose own data is no list of rows."""
    dash.register("a")
    run = dash.start(data={"question": "why?"})
    (event,) = dash.get(f"runs/{run}")["event_ids"]
    for path, id_ in ((f"runs/{run}", run), (f"events/{event}", event)):
        rows = csv.DictReader(io.StringIO(dash.ask("GET", f"/p/default/{path}.csv").text))
        assert [row["id"] for row in rows] == [id_]


@pytest.mark.parametrize("page", [page for page in PAGES if page.nav], ids=lambda page: page.name)
def test_a_page_of_an_empty_project_says_what_to_do(dash: DashboardServer, page: Page) -> None:
    """Not an empty table: what would fill it."""
    shown = dash.look(page.path)
    assert shown.one("nav", class_="nav").one("a", aria_current="page").text
    assert shown.all(class_="empty")
    assert not shown.all("tbody", data_live_rows="")


def test_a_filter_that_is_no_filter_is_refused_as_a_page(dash: DashboardServer) -> None:
    """With the API's code and hint, and a way on."""
    response = dash.ask("GET", "/p/default/runs?bogus=1")
    assert response.status_code == 422
    shown = html_pages.read(response.text)
    assert "bad_filter" in shown.one("main").text
    assert shown.all("a", href="/p/default/runs")


def test_a_refused_filter_is_mended_where_it_is_refused(dash: DashboardServer) -> None:
    """All that was asked stands in a form; a cursor, which nobody can mend, is left out."""
    asked = {"queued_after": "yesterday", "status": "failed", "cursor": "x"}
    refused = dash.ask("GET", "/p/default/runs", params=asked)
    assert refused.status_code == 422
    form = html_pages.read(refused.text).one("form", id="filters")
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert form.attributes["action"] == "/p/default/runs"
    assert fields == {"queued_after": "yesterday", "status": "failed"}


def test_what_is_missing_says_where_it_was_looked_for(dash: DashboardServer) -> None:
    """A page, and a project that the key is not of."""
    missing = dash.ask("GET", "/p/default/nothing")
    assert (missing.status_code, "page_not_found" in missing.text) == (404, True)
    other = dash.ask("GET", "/p/other/runs")
    assert (other.status_code, "project_not_found" in other.text) == (404, True)
    assert "default" in other.text


def test_a_cursor_that_is_none_is_refused(dash: DashboardServer) -> None:
    """It is no fault of the server."""
    assert dash.ask("GET", "/p/default/runs?cursor=nonsense").status_code == 400
