"""Experiments in a real browser: the chart of looks, and stopping one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browsing import violations
from project_story import tell
from project_words import Words
from published_experiment import LAST, NAME, load, plan, take

if TYPE_CHECKING:
    from browsing import Opener, Served
    from dashboard_server import DashboardServer

UNPROCESSABLE = 422
WORDS = Words()
PATH = f"/p/default/experiments/{NAME}"


def told(server: DashboardServer) -> None:
    """A project in which everything has happened."""
    tell(server, WORDS)


def looked(server: DashboardServer) -> None:
    """The published experiment with its plan and all its looks."""
    load(server.url, plan())
    take(server.url, LAST + timedelta(hours=1))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_experiment_is_drawn_and_accessible(
    open_page: Opener, served: Served, scheme: str
) -> None:
    """The looks as a picture with a name, beside their table; nothing against WCAG A or AA."""
    served.seed(looked)
    page = open_page(served, PATH, scheme=scheme, is_open=True)
    expect(page.locator("#looks-table-chart svg[role=img]")).to_be_visible()
    name = page.locator("#looks-table-chart g[fill='var(--series-1)']", has_text="concise")
    expect(name).to_have_count(1)
    expect(page.locator("[data-verdict=concise]")).to_contain_text("better")
    assert violations(page) == []
    units = open_page(served, f"{PATH}/units?metric=run.failure", scheme=scheme, is_open=True)
    expect(units.locator("main table")).to_contain_text("No response")
    assert violations(units) == []


def test_a_variant_has_one_colour_in_all_charts(open_page: Opener, served: Served) -> None:
    """The control the last, since looks have none; and none has that of what failed."""
    served.seed(told)
    page = open_page(served, f"/p/default/experiments/{WORDS.experiment}")
    for name, place in ((WORDS.variant, 1), (WORDS.control, 2)):
        own = page.locator(f"#growth-chart g[fill='var(--series-{place})']", has_text=name)
        expect(own).to_have_count(1)


@pytest.mark.parametrize("width", [360, 1600])
def test_looks_are_read_without_javascript(open_page: Opener, served: Served, width: int) -> None:
    """The table is there, and no empty frame of a picture."""
    served.seed(looked)
    page = open_page(served, PATH, width=width, scripts=False)
    expect(page.locator("#looks-table-chart")).to_be_hidden()
    expect(page.locator("#looks-table tbody tr")).to_have_count(31)
    expect(page.locator("[data-arms] tbody tr")).to_have_count(2)


def test_a_refusal_stands_in_the_form_with_all_that_was_written(
    open_page: Opener, served: Served
) -> None:
    """Unfolded, and the field that is wrong has the focus."""
    served.seed(looked)
    page = open_page(served, PATH, status=UNPROCESSABLE)
    page.get_by_text("Stop…").click()
    page.get_by_label("Decision").fill(" ")
    page.get_by_label("Reason").fill("better at the end of the plan")
    page.get_by_role("button", name="Stop the experiment").click()
    with page.expect_response(lambda one: one.status == UNPROCESSABLE):
        page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    expect(page.get_by_label("Reason")).to_have_value("better at the end of the plan")
    expect(page.get_by_label("Decision")).to_be_focused()
    expect(page.locator("form [role=alert]")).to_contain_text("decision is empty")


def test_stopping_asks_first(open_page: Opener, served: Served) -> None:
    """What can't be undone is done on the second word, and shown at once."""
    served.seed(looked)
    page = open_page(served, PATH)
    page.get_by_text("Stop…").click()
    page.get_by_label("Decision").fill("concise stays")
    page.get_by_label("Reason").fill("better at the end of the plan")
    page.get_by_role("button", name="Stop the experiment").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    expect(page.locator("main")).to_contain_text("Stopped")
    expect(page.locator("main")).to_contain_text("concise stays")
