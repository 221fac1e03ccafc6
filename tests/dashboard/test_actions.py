"""Forms: refused from elsewhere, taken whatever they hold; and looking changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from assay.dashboard.registry import ACTIONS, PAGES
from dashboard_server import OWN, DashboardServer
from project_story import Story, tell
from project_words import Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.testing import Databases

PROJECT = "/p/default"
ROWS = "SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM assay.{} AS t"
TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'assay'::regnamespace"
    " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
)
SEALS = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "x-content-type-options",
}
ELSEWHERE = {
    "no header of a browser": {},
    "foreign origin": {"origin": "https://evil.example"},
    "other port": {"origin": "http://127.0.0.1:3000"},
    "no origin": {"origin": "null"},
    "cross-site": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    "same-site": {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8787"},
    "typed": {"sec-fetch-site": "none"},
}


@pytest.fixture(scope="module", params=[True, False], ids=["without keys", "with keys"])
def told(
    request: pytest.FixtureRequest, assay_databases: Databases
) -> Iterator[tuple[DashboardServer, Story, dict[str, str]]]:
    """A server with a story, and the headers of somebody who may look at it."""
    with assay_databases.new() as database:
        with DashboardServer(database) as server:
            story = tell(server, Words())
        with DashboardServer(database, dev=request.param) as server:
            headers: dict[str, str] = {}
            if not request.param:
                sent = server.ask("POST", "/sign-in", data={"key": server.key()}, headers=OWN)
                headers = {"cookie": sent.headers["set-cookie"].split(";")[0]}
            yield server, story, headers


def rows(server: DashboardServer) -> dict[str, Any]:
    """A hash of each table."""

    async def read() -> dict[str, Any]:
        tables = await (await server.connection.execute(TABLES.encode())).fetchall()
        hashes = {}
        for (table,) in tables:
            found = await server.connection.execute(ROWS.format(table).encode())
            hashes[table] = await found.fetchone()
        return hashes

    return server.run(read())


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_action_comes_from_elsewhere(
    told: tuple[DashboardServer, Story, dict[str, str]], headers: dict[str, str]
) -> None:
    """Not even with the cookie of somebody who may, and nothing is done."""
    server, story, mine = told
    before = rows(server)
    paths = [PROJECT + story.filled(action.path) for action in ACTIONS]
    for path in [*paths, "/sign-out"]:
        response = server.ask(
            "POST", path, data={"name": "x", "value": "1"}, headers=mine | headers
        )
        assert response.status_code == 403, path
        assert response.headers.keys() >= SEALS
        assert "set-cookie" not in response.headers
    assert rows(server) == before


def test_looking_changes_nothing(told: tuple[DashboardServer, Story, dict[str, str]]) -> None:
    """No page, export or path of an action, by any method of reading."""
    server, story, mine = told
    paths = [place for page in PAGES for place in story.places(page)]
    paths += [f"{place}{ending}" for place in paths for ending in (".json", ".csv")]
    paths += [story.filled(action.path) for action in ACTIONS]
    before = rows(server)
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS"):
            response = server.ask(method, PROJECT + path, headers=mine)
            assert response.status_code < 500, (method, path)
    assert rows(server) == before


def test_every_answer_is_sealed(told: tuple[DashboardServer, Story, dict[str, str]]) -> None:
    """Pages, exports, refusals, ways on, and what isn't there."""
    server, story, mine = told
    paths = [PROJECT + place for page in PAGES for place in story.places(page)]
    paths += [f"{PROJECT}/runs.json", f"{PROJECT}/runs.csv", f"{PROJECT}/runs.json?bogus=1"]
    paths += [f"{PROJECT}/runs?bogus=1", f"{PROJECT}/runs?cursor=no", f"{PROJECT}/nothing"]
    paths += ["/", "/p", "/p/", "/p/other/", "/p/default", "/sign-in", "/sign-in?next=/p/default/"]
    for path in paths:
        for headers in ({}, mine, mine | ELSEWHERE["foreign origin"]):
            response = server.ask("GET", path, headers=headers)
            assert response.status_code < 500, path
            assert response.headers.keys() >= SEALS, (path, headers, response.status_code)
    for method in ("PUT", "DELETE", "POST", "PATCH"):
        response = server.ask(method, f"{PROJECT}/runs", headers=mine | OWN)
        assert response.status_code in {404, 405}
        assert response.headers.keys() >= SEALS, method
    for path in [PROJECT + story.filled(action.path) for action in ACTIONS]:
        response = server.ask("GET", path, headers=mine)
        assert response.status_code in {200, 303, 404}
        assert response.headers.keys() >= SEALS, path


def test_actions_take_whatever_people_write(dash: DashboardServer) -> None:
    """Names, notes and reasons with markup, quotes, marks and 200 characters."""
    story = tell(dash, Words())
    odd = hostile()
    data = json.dumps({"ticket": odd.datum.replace("\ud800", "")})
    sessions = "ticket=" + odd.session_id
    sent = dash.act("/events/send", name=odd.event, data=data, sessions=sessions)
    event = dash.get(sent.headers["location"].removeprefix(f"{PROJECT}/"))
    assert (event["name"], event["sessions"][0]["id"]) == (odd.event, odd.session_id)
    assert event["data"]["ticket"] == odd.datum.replace("\ud800", "").replace("\0", "\ufffd")

    why = odd.rationale.replace("\ud800", "")
    note = {"name": odd.score, "value": "true", "author": odd.author, "rationale": why}
    given = dash.act(story.filled("/runs/{run_id}/score"), **note)
    assert given.status_code == 303
    (score,) = dash.get("scores", name=odd.score)["data"]
    assert (score["author"], score["source"]) == (odd.author, "human")
    assert score["rationale"] == why.replace("\0", "\ufffd")

    said = {"decision": odd.decision, "reason": odd.stop_reason, "author": odd.author}
    assert dash.act(story.filled("/experiments/{experiment_id}/stop"), **said).status_code == 303
    stopped = dash.get(story.filled("experiments/{experiment_id}"))["stopped"]
    assert {name: stopped[name] for name in said} == said

    live = story.filled("/runs/{run_id}/cancel", run_id=story.runs["queued"])
    assert dash.act(live).status_code == 303
    assert dash.get(f"runs/{story.runs['queued']}")["status"] == "cancelled"
