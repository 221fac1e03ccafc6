"""Who may look, and what no other site can make a browser do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from assay.access import keys
from dashboard_server import OWN

if TYPE_CHECKING:
    from dashboard_server import DashboardServer


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
    ids=["rebound name", "foreign origin", "foreign script", "foreign image"],
)
def test_a_foreign_page_reads_nothing(dash: DashboardServer, headers: dict[str, str]) -> None:
    """A server without keys answers this machine alone, and no page of another site."""
    response = dash.ask("GET", "/p/default/runs", headers=headers)
    assert response.status_code == 403


def test_a_link_from_another_site_leads_here(dash: DashboardServer) -> None:
    """Following a link reads nothing for the page that holds it."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert dash.ask("GET", "/p/default/runs", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8787"},
        {"sec-fetch-site": "none"},
    ],
)
def test_an_action_comes_from_a_page_of_this_server(
    locked: DashboardServer, headers: dict[str, str]
) -> None:
    """Also not from another port of this machine, nor from nowhere."""
    response = locked.ask("POST", "/sign-in", data={"key": locked.key()}, headers=headers)
    assert response.status_code == 403
    assert "not_same_origin" in response.text or "another site" in response.text
    assert "set-cookie" not in response.headers


def test_an_action_of_this_origin_is_let_in_without_fetch_metadata(locked: DashboardServer) -> None:
    """Browsers send that only on https and loopback."""
    headers = {"origin": "http://127.0.0.1:8787"}
    response = locked.ask("POST", "/sign-in", data={"key": locked.key()}, headers=headers)
    assert response.status_code == 303


def signed_in(server: DashboardServer, key: str) -> dict[str, str]:
    """The headers of a browser that has signed in."""
    response = server.ask("POST", "/sign-in", data={"key": key}, headers=OWN)
    cookie = response.headers["set-cookie"]
    assert key not in cookie
    for word in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
    return {"cookie": cookie.split(";")[0]}


def test_a_key_opens_its_own_project_alone(locked: DashboardServer) -> None:
    """Without one a page leads to signing in, and from there back."""
    locked.new_project()
    first = locked.ask("GET", "/p/default/runs?status=failed")
    assert first.headers["location"] == "/sign-in?next=%2Fp%2Fdefault%2Fruns%3Fstatus%3Dfailed"
    headers = signed_in(locked, locked.key())
    assert locked.ask("GET", "/p/default/runs", headers=headers).status_code == 200
    assert locked.ask("GET", "/p/other/runs", headers=headers).status_code == 404
    assert locked.ask("GET", "/p/default/runs.json", headers=headers).status_code == 200


def test_a_cookie_ends_with_its_key_its_time_or_its_signature(locked: DashboardServer) -> None:
    """It is looked up anew with each request."""
    headers = signed_in(locked, locked.key())
    name, value = headers["cookie"].split("=")
    ulid, ends, signature = value.split(".")
    for forged in (
        f"{ulid}.{int(ends) + 1}.{signature}",
        f"{ulid}.{ends}.{signature[:-1]}0" if signature[-1] != "0" else f"{ulid}.{ends}.x",
        f"{locked.ulid()}.{ends}.{signature}",
        "nonsense",
        f"{ulid}.{ends}.\N{SNOWMAN}",
    ):
        cookie = {"cookie": f"{name}={forged}".encode()}
        assert locked.ask("GET", "/p/default/runs", headers=cookie).status_code == 303
    (key,) = locked.run(keys.list_keys(locked.connection, project=1))
    locked.run(keys.revoke(locked.connection, project=1, key=str(key.id), clock=locked.clock))
    assert locked.ask("GET", "/p/default/runs", headers=headers).status_code == 303
    headers = signed_in(locked, locked.key())
    locked.clock.advance(timedelta(days=7, seconds=1))
    assert locked.ask("GET", "/p/default/runs", headers=headers).status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(locked: DashboardServer, target: str) -> None:
    """Where to go on is a page of this server."""
    fields = {"key": locked.key(), "next": target}
    response = locked.ask("POST", "/sign-in", data=fields, headers=OWN)
    assert response.headers["location"] == "/"


def test_a_link_from_another_site_finds_whoever_is_signed_in(locked: DashboardServer) -> None:
    """A strict cookie is not sent with it, so it comes in by way of a page of this server."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    path = locked.ask("GET", "/p/default/runs", headers=link).headers["location"]
    assert 'http-equiv="refresh"' in locked.ask("GET", path, headers=link).text
    here = signed_in(locked, locked.key()) | OWN
    assert locked.ask("GET", path, headers=here).headers["location"] == "/p/default/runs"


def test_an_unknown_key_signs_nobody_in(locked: DashboardServer) -> None:
    """And the page says so."""
    response = locked.ask("POST", "/sign-in", data={"key": "assay_no"}, headers=OWN)
    assert response.status_code == 403
    assert "unknown or revoked" in response.text
