"""Who may ask: keys, projects, and pages of other origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api_server import ApiServer
from assay.access import keys
from assay.access.binding import is_loopback, needs_keys
from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTES = (
    "events",
    "runs",
    "sessions",
    "sessions/ticket",
    "sessions/ticket/1/runs",
    "scores",
    "scores?history=true",
    "outcomes",
    "functions",
)


@pytest.fixture
def closed(assay_database: str) -> Iterator[ApiServer]:
    """A server that wants keys."""
    with ApiServer(assay_database, dev=False) as server:
        yield server


def bearer(key: str) -> dict[str, Any]:
    """Options of a request with a key."""
    return {"headers": {"Authorization": f"Bearer {key}"}}


def test_without_a_key_nothing_is_read_or_sent(closed: ApiServer) -> None:
    """Only health needs none."""
    for route in ROUTES:
        assert closed.refusal("GET", route)[:2] == (401, "key_missing")
    assert closed.refusal("POST", "events", json={"events": []})[:2] == (401, "key_missing")
    assert closed.refusal("POST", "scores", json={})[:2] == (401, "key_missing")
    assert closed.refusal("POST", "/e/any", json=[])[:2] == (401, "key_invalid")
    assert closed.get("health")["status"] == "ok"


@pytest.mark.parametrize(
    "header", ["Bearer x", "Bearer", "Basic eDp5", "bearer assay_", "Bearer \xe9", "x" * 5_000]
)
def test_a_key_that_is_none_lets_nobody_in(closed: ApiServer, header: str) -> None:
    """Whatever it looks like."""
    status, code, _ = closed.refusal(
        "GET", "runs", headers={"Authorization": header.encode("latin-1")}
    )
    assert (status, code) in {(401, "key_invalid"), (401, "key_missing")}


def test_a_key_lets_in_until_it_is_revoked(closed: ApiServer) -> None:
    """From then on no request with it is answered."""
    key = closed.key()
    assert closed.ask("GET", "runs", **bearer(key)).status_code == 200
    assert closed.ask("POST", f"/e/{key}", json=[]).status_code == 200
    (listed,) = closed.run(keys.list_keys(closed.connection, project=1))
    assert key.startswith(listed.prefix)
    assert key not in repr(listed)

    revoked = closed.run(
        keys.revoke(closed.connection, project=1, key=listed.prefix, clock=closed.clock)
    )

    assert revoked.id == listed.id
    assert closed.refusal("GET", "runs", **bearer(key))[:2] == (401, "key_invalid")
    assert closed.refusal("POST", f"/e/{key}", json=[])[:2] == (401, "key_invalid")
    with pytest.raises(AssayError, match="no live key"):
        closed.run(
            keys.revoke(closed.connection, project=1, key=str(revoked.id), clock=closed.clock)
        )


def test_a_secret_is_stored_nowhere(closed: ApiServer) -> None:
    """Only its hash and the first characters."""
    key = closed.key()
    cursor = closed.run(closed.connection.execute("SELECT k::text FROM assay.keys k"))
    assert key not in str(closed.run(cursor.fetchall()))


def test_a_project_sees_nothing_of_another_by_any_route(closed: ApiServer) -> None:
    """Neither in lists nor by id, nor can it score or cancel there."""
    closed.new_project(2)
    closed.register("answer")
    ours, theirs = closed.key(1), closed.key(2)
    event = {"name": "ticket", "data": {}, "sessions": {"ticket": "1"}}
    sent = closed.ask("POST", "events", json={"events": [event]}, **bearer(ours)).json()
    run, event_id = sent["run_ids"][0], sent["event_ids"][0]
    score = {"run_id": run, "name": "q", "value": 1}
    assert closed.ask("POST", "scores", json=score, **bearer(ours)).status_code == 200
    closed.promise(run, "liked")

    for route in ROUTES:
        assert closed.ask("GET", route, **bearer(ours)).json()["data"] != [], route
        assert closed.ask("GET", route, **bearer(theirs)).json()["data"] == [], route
    for path in (
        f"runs/{run}",
        f"runs/{run}/trace",
        f"runs/{run}/scores",
        f"events/{event_id}",
        "sessions/ticket/1",
        "sessions/ticket/1/scores",
    ):
        assert closed.ask("GET", path, **bearer(ours)).status_code == 200, path
        assert closed.refusal("GET", path, **bearer(theirs))[0] == 404, path
    assert closed.refusal("POST", "scores", json=score, **bearer(theirs))[:2] == (
        404,
        "run_not_found",
    )
    assert closed.refusal("POST", f"runs/{run}/cancel", **bearer(theirs))[0] == 404


def test_an_id_of_another_projects_event_is_free(closed: ApiServer) -> None:
    """Ids are unique in a project, so that nobody can take another's."""
    closed.new_project(2)
    event = {"id": str(closed.ulid()), "name": "x", "data": {}}
    for project in (1, 2):
        key = closed.key(project)
        answer = closed.ask("POST", "events", json={"events": [event]}, **bearer(key))
        assert answer.status_code == 200
        assert len(closed.ask("GET", "events", **bearer(key)).json()["data"]) == 1


def test_a_key_counts_in_development_too(api: ApiServer) -> None:
    """A wrong one is refused rather than passed over."""
    api.new_project(2)
    api.start_nothing()
    assert api.ask("GET", "events").json()["data"] != []
    assert api.ask("GET", "events", **bearer(api.key(2))).json()["data"] == []
    assert api.refusal("GET", "events", **bearer("assay_wrong"))[:2] == (401, "key_invalid")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example:8787"},
    ],
    ids=str,
)
def test_a_web_page_of_elsewhere_cant_use_a_server_without_keys(
    api: ApiServer, headers: dict[str, str]
) -> None:
    """Neither by sending from its origin nor by naming itself 127.0.0.1."""
    assert api.refusal("GET", "runs", headers=headers)[:2] == (403, "not_local")
    assert api.refusal("POST", "/e/any", json=[], headers=headers)[:2] == (403, "not_local")
    with_key = headers | {"Authorization": f"Bearer {api.key()}"}
    assert api.ask("GET", "runs", headers=with_key).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_on_this_machine_a_server_needs_no_keys(api: ApiServer, host: str) -> None:
    """Loopback addresses and names."""
    assert is_loopback(host)
    assert not api.run(needs_keys(api.connection, host))


@pytest.mark.parametrize("host", ["10.0.0.1", "::", "192.168.1.5", "example.org", ""])
def test_elsewhere_a_server_without_keys_is_refused(api: ApiServer, host: str) -> None:
    """With one it may listen, and asks for it."""
    with pytest.raises(AssayError, match="this machine only"):
        api.run(needs_keys(api.connection, host))
    api.key()
    assert api.run(needs_keys(api.connection, host))
