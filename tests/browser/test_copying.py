"""What a button copies is what stood there: statements reach psql whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from assay.dashboard.asking import part
from browsing import violations
from copied_statements import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from browsing import Opener
    from dashboard_server import DashboardServer
    from told import Told


@pytest.mark.parametrize("state", ["full", "hostile"])
def test_a_statement_is_copied_from_the_menu(
    open_page: Opener, states: Mapping[str, Told], state: str
) -> None:
    """Whatever the filter holds, the database takes the text of the clipboard."""
    told = states[state]
    words = told.story.words
    page = open_page(told.served, f"/p/default/runs?experiment={part(words.experiment)}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Copy as…").click()
    page.get_by_role("button", name="Copy SQL").click()
    # The button says so too, but not for long.
    expect(page.locator("#said")).to_have_text("copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")

    def run(server: DashboardServer) -> None:
        expected = server.pages("runs", experiment=words.experiment)
        assert [row["id"] for row in rows(server, copied)] == [one["id"] for one in expected] != []

    told.served.seed(run)


@pytest.mark.parametrize("width", [360, 700, 1300])
def test_the_menu_is_within_the_window(
    open_page: Opener, states: Mapping[str, Told], width: int
) -> None:
    """However narrow; what is longer is scrolled to inside of it."""
    told = states["full"]
    path = f"/p/default/runs/{told.story.runs['completed']}"
    page = open_page(told.served, path, width=width, is_open=True)
    page.get_by_text("Copy as…").click()
    box = page.locator("details.menu > div").bounding_box()
    assert box is not None
    assert 0 <= box["x"] < box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 900
    assert violations(page) == []
