"""Every page in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from assay.dashboard.registry import PAGES
from browsing import violations

if TYPE_CHECKING:
    from browsing import Opener, Served
    from dashboard_server import DashboardServer

LISTS = [page.path for page in PAGES if page.nav]


def some_runs(server: DashboardServer) -> None:
    """Three runs, one of each kind of end."""
    server.register("answer")
    for status in ("completed", "failed", "cancelled"):
        server.finish(server.start(), status, output='"done"')


def one_more_run(server: DashboardServer) -> None:
    """It is queued."""
    server.start()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", LISTS)
def test_an_empty_page_is_accessible(
    open_page: Opener, empty: Served, path: str, scheme: str
) -> None:
    """No violation of WCAG A or AA, in light and in dark."""
    page = open_page(empty, f"/p/default{path}", scheme=scheme, is_open=True)
    assert violations(page) == []


def test_keys_move_between_rows_and_pages(open_page: Opener, served: Served) -> None:
    """J and k choose a row, Enter opens it, g and a letter go elsewhere, ? tells of them."""
    served.seed(some_runs)
    page = open_page(served, "/p/default/runs")
    rows = page.locator("tr[data-key]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("/functions$"))


def test_the_palette_goes_to_a_page_by_its_name(open_page: Opener, empty: Served) -> None:
    """Ctrl K, some letters, Enter."""
    page = open_page(empty)
    page.keyboard.press("Control+k")
    page.keyboard.type("func")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/functions$"))


def test_new_rows_wait_behind_a_pill(open_page: Opener, served: Served) -> None:
    """Nothing jumps under the cursor: what is there changes in place, what is new is announced."""
    served.seed(some_runs)
    page = open_page(served, "/p/default/runs")
    rows = page.locator("tr[data-key]")
    expect(rows).to_have_count(3)
    served.seed(one_more_run)
    pill = page.locator("#fresh")
    expect(pill).to_have_text("1 new")
    expect(rows).to_have_count(3)
    pill.click()
    expect(rows).to_have_count(4)


def test_the_theme_is_kept(open_page: Opener, empty: Served) -> None:
    """Over pages, in this browser."""
    page = open_page(empty)
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [360, 1600])
def test_a_list_is_read_without_javascript(open_page: Opener, served: Served, width: int) -> None:
    """A table, on a telephone and on a large screen, that needs no script."""
    served.seed(some_runs)
    page = open_page(served, "/p/default/runs", width=width, scripts=False)
    expect(page.locator("main tbody tr")).to_have_count(3)
    expect(page.locator("main tbody")).to_contain_text("failed")
