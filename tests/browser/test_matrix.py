"""Every page in a real browser: empty, full and hostile; light and dark; narrow and wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from assay.dashboard.registry import PAGES
from browsing import arrives, violations
from page_checks import faults_of_layout, faults_of_tabbing
from project_words import MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Page as Look

    from assay.dashboard.page import Page
    from browsing import Opener
    from told import Told

WHOLE = [page for page in PAGES if not page.is_panel]
every_page = pytest.mark.parametrize("page", WHOLE, ids=lambda page: page.path)
every_state = pytest.mark.parametrize("state", ["empty", "full", "hostile"])
TALL = "table.grid tbody tr"


def is_drawn(look: Look) -> None:
    """Wait for what scripts draw once a page has been seen: a trace, and charts of tables."""
    expect(look.locator("assay-waterfall:not(:has([role=treegrid]))")).to_have_count(0)
    expect(look.locator("figure.chart:empty:not([hidden])")).to_have_count(0)


@every_page
@every_state
@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (360, "dark")])
def test_a_page_is_whole_and_accessible(
    open_page: Opener, states: Mapping[str, Told], page: Page, state: str, width: int, scheme: str
) -> None:
    """No error, nothing asked elsewhere, nothing cut or one over another, nothing against WCAG."""
    told = states[state]
    for place in told.places(page):
        status = told.status(place)
        look = open_page(
            told.served, place, width=width, scheme=scheme, is_open=True, status=status
        )
        expect(look.locator("h1")).to_be_visible()
        expect(look.locator(MARK)).to_have_count(0)
        is_drawn(look)
        assert faults_of_layout(look) == [], place
        assert violations(look) == [], place
        look.context.close()


@every_page
@pytest.mark.parametrize("state", ["full", "hostile"])
def test_a_page_is_read_without_javascript(
    open_page: Opener, states: Mapping[str, Told], page: Page, state: str
) -> None:
    """Every row of every table, on a telephone; nothing waits for a script."""
    told = states[state]
    for place in told.places(page):
        bare = open_page(told.served, place, width=360, scripts=False)
        for table in bare.locator("main table").all():
            if table.locator("xpath=ancestor::details[not(@open)]").count() == 0:
                expect(table).to_be_visible()
        for button in bare.locator("main button:visible").all():
            assert button.locator("xpath=ancestor::form").count() == 1, button.inner_html()
        bare.context.close()


@every_page
def test_tab_reaches_everything_and_shows_where_it_is(
    open_page: Opener, states: Mapping[str, Told], page: Page
) -> None:
    """Every link, field and button."""
    told = states["full"]
    look = open_page(told.served, told.places(page)[0], is_open=True)
    # A trace brings fields and buttons of its own.
    is_drawn(look)
    assert faults_of_tabbing(look) == []


@pytest.mark.parametrize("page", [page for page in WHOLE if page.key], ids=lambda page: page.path)
def test_keys_work_on_every_list(open_page: Opener, states: Mapping[str, Told], page: Page) -> None:
    """The help keeps focus and gives it back; / goes to the filters, Enter to the row's page."""
    told = states["full"]
    look = open_page(told.served, told.places(page)[0])
    back = look.locator("#help-button")
    back.focus()
    look.keyboard.press("Enter")
    for _ in range(3):
        look.keyboard.press("Tab")
        assert look.evaluate(
            "() => document.activeElement.closest('dialog, body').matches('#help, body')"
        )
    look.keyboard.press("Escape")
    expect(back).to_be_focused()
    filters = look.locator("#filters input").first
    if filters.count():
        look.keyboard.press("/")
        expect(filters).to_be_focused()
        look.keyboard.press("Escape")
    rows = look.locator("main tr[data-key][data-href]")
    if rows.count():
        look.evaluate("() => document.activeElement.blur()")
        look.keyboard.press("j")
        href = rows.first.get_attribute("data-href") or "?"
        expect(rows.first).to_have_attribute("aria-current", "true")
        look.keyboard.press("Enter")
        arrives(look, told.served.url + href)
    look.keyboard.press("g")
    look.keyboard.press(page.key or "?")
    expect(look).to_have_url(told.served.url + told.places(page)[0])
