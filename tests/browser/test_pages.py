"""What pages do in a real browser: keys, the panel, live updates, the theme."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

import full_project
from browsing import arrives, serve, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from assay.testing import Databases
    from browsing import Opener, Served
    from dashboard_server import DashboardServer

LISTEN = """() => {
  document.addEventListener("assay:changed", () => (document.body.dataset.isChanged = "yes"));
}"""


@pytest.fixture(scope="module")
def full(assay_databases: Databases) -> Iterator[Served]:
    """A server on which something of everything has happened."""
    with assay_databases.new() as database, serve(database) as served:
        served.seed(full_project.fill)
        yield served


@pytest.fixture(scope="module")
def names(full: Served) -> dict[str, str]:
    """Ids of what is in the full project, by the words that paths use."""
    found: dict[str, str] = {}

    def look(server: DashboardServer) -> None:
        failed = server.get("runs", status="failed", limit=1)["data"][0]["id"]
        found["failed"] = failed
        found["live"] = server.get("runs", status="running")["data"][0]["id"]
        found["event"] = server.get("runs/" + failed)["event_ids"][0]
        found["span"] = server.get("runs/" + failed)["steps"][0]["span_id"]

    full.seed(look)
    return found


def one_more_run(server: DashboardServer) -> None:
    """It is queued."""
    server.start()


def see_one_more_run(page: Page, served: Served) -> None:
    """Have a page take over that there is one."""
    page.evaluate(LISTEN)
    served.seed(one_more_run)
    expect(page.locator("body")).to_have_attribute("data-is-changed", "yes")


def test_keys_move_between_rows_and_pages(open_page: Opener, full: Served) -> None:
    """J and k choose a row, Enter opens it, g and a letter go elsewhere, ? tells of them."""
    page = open_page(full, "/p/default/runs")
    rows = page.locator("main tr[data-key]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#filters input").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    arrives(page, re.compile("/runs/[0-9A-Z]{26}$"))
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("/functions$"))


def test_the_panel_follows_the_rows(open_page: Opener, full: Served) -> None:
    """Space opens it, j goes on, Escape closes it; the address brings back what it shows."""
    page = open_page(full, "/p/default/runs?function_id=answer")
    rows = page.locator("main tr[data-key]")
    panel = page.locator("#panel")
    page.keyboard.press("j")
    page.keyboard.press(" ")
    expect(panel).to_contain_text(rows.nth(0).get_attribute("data-key") or "?")
    page.keyboard.press("j")
    expect(panel).to_contain_text(rows.nth(1).get_attribute("data-key") or "?")
    shown = rows.nth(1).get_attribute("data-key") or "?"
    expect(page).to_have_url(re.compile(f"peek={shown}"))
    page.reload()
    expect(panel).to_contain_text(shown)
    # Also where the row is not in the list, or not any more.
    other = open_page(full, f"/p/default/runs?status=failed&peek={shown}")
    expect(other.locator("#panel")).to_contain_text(shown)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_the_panel_shows_the_row_that_was_chosen_last(open_page: Opener, full: Served) -> None:
    """Though the answer about the first one does not come."""
    page = open_page(full, "/p/default/runs?function_id=answer")
    ids = [row.get_attribute("data-key") or "?" for row in page.locator("main tr[data-key]").all()]
    page.route(f"**/{ids[0]}/peek", lambda _: None)
    page.keyboard.press("j")
    page.keyboard.press(" ")
    panel = page.locator("#panel")
    expect(panel).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(panel).to_contain_text(ids[2])


def test_a_step_opens_in_the_panel(open_page: Opener, full: Served, names: dict[str, str]) -> None:
    """By a click on its row; the address keeps it over a reload, and closed it stays closed."""
    page = open_page(full, f"/p/default/runs/{names['failed']}")
    rows = page.locator("assay-waterfall [role=treegrid] [role=row]")
    rows.filter(has_text="chat").first.click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("find_user")
    page.reload()
    expect(panel).to_contain_text("find_user")
    panel.locator("[data-close-panel]").click()
    expect(panel).to_be_hidden()


def test_the_palette_goes_to_whatever_some_letters_name(
    open_page: Opener, full: Served, names: dict[str, str]
) -> None:
    """Ctrl K, some letters, Enter: what is not found yet is waited for."""
    page = open_page(full)
    page.keyboard.press("Control+k")
    page.keyboard.type("functi")
    page.keyboard.press("Enter")
    arrives(page, re.compile("/functions$"))
    for text, place in (
        (names["failed"], "/runs/" + names["failed"]),
        (names["event"][-6:], "/events/" + names["event"]),
        ("answ", "/functions/support/answer"),
    ):
        page.keyboard.press("Control+k")
        page.keyboard.insert_text(text)
        page.keyboard.press("Enter")
        arrives(page, re.compile(place + "$"))


def test_the_palette_says_what_each_thing_is(open_page: Opener, full: Served) -> None:
    """A combobox that arrows move through; with no letters it begins with where one was."""
    page = open_page(full, "/p/default/functions/support/answer", is_open=True)
    page.goto(full.url + "/p/default/runs")
    page.locator("#find").click()
    palette = page.locator("#palette")
    field, options = palette.get_by_role("combobox"), palette.get_by_role("option")
    expect(options.first).to_contain_text("answer")
    expect(options.first).to_contain_text("recent")
    expect(options.filter(has_text="Pause live")).to_contain_text("action")
    assert violations(page) == []
    page.keyboard.type("answer")
    expect(options.filter(has_text="function")).not_to_have_count(0)
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", options.last.get_attribute("id") or "")
    assert violations(page) == []
    page.keyboard.type(" by nobody")
    expect(palette).to_contain_text("Nothing is called that")
    expect(field).to_have_attribute("aria-expanded", "false")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.route("**/find?*", lambda route: route.fulfill(body="sign in"))
    page.keyboard.press("Control+k")
    page.keyboard.type("zz")
    expect(palette).to_contain_text("The server does not answer")


def test_the_palette_does_what_the_page_can_do(open_page: Opener, full: Served) -> None:
    """Its actions are those of the page's own buttons."""
    page = open_page(full, "/p/default/runs")
    page.keyboard.press("Control+k")
    page.keyboard.type("pause")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text(re.compile("paused"))
    expect(page.locator("#palette")).to_be_hidden()


def test_two_runs_are_marked_and_compared(open_page: Opener, full: Served) -> None:
    """By c at each of two rows, or Compare in the panel of the second; a mark can be taken back."""
    page = open_page(full, "/p/default/runs", is_open=True)
    rows, marked = page.locator("main tr[data-key]"), page.locator("#marked")
    first, second = (rows.nth(at).get_attribute("data-key") for at in (0, 1))
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(marked).to_contain_text((first or "?")[-6:])
    assert violations(page) == []
    marked.get_by_role("button").click()
    expect(marked).to_have_count(0)
    page.keyboard.press("c")
    page.goto(full.url + "/p/default/runs")
    expect(marked).to_be_visible()
    rows.nth(1).click(position={"x": 2, "y": 2})
    page.locator("#panel").get_by_text("Compare").click()
    arrives(page, f"{full.url}/p/default/runs/compare?a={first}&b={second}")
    expect(page.locator("#marked")).to_have_count(0)


def test_new_rows_wait_behind_a_pill(open_page: Opener, served: Served) -> None:
    """Nothing jumps under the cursor: what is there changes in place, what is new is announced."""
    run: list[str] = []

    def begin(server: DashboardServer) -> None:
        server.register("answer")
        run.append(server.start())

    def go_on(server: DashboardServer) -> None:
        server.finish(run[0])
        server.start()

    served.seed(begin)
    page = open_page(served, "/p/default/runs")
    rows = page.locator("main tr[data-key]")
    expect(rows).to_contain_text("queued")
    served.seed(go_on)
    pill = page.locator("#fresh")
    expect(pill).to_have_text("1 new")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("completed")
    pill.click()
    expect(rows).to_have_count(2)


def test_a_row_that_fits_no_more_is_struck_out(open_page: Opener, served: Served) -> None:
    """A list of what is queued doesn't go on to say so of a run that has ended."""
    runs: list[str] = []

    def begin(server: DashboardServer) -> None:
        server.register("answer")
        runs.extend(server.start() for _ in range(2))

    served.seed(begin)
    page = open_page(served, "/p/default/runs?status=queued")
    rows = page.locator("main tr[data-key]")
    expect(rows).to_have_count(2)
    expect(page.locator("#live")).to_have_text(re.compile("^.live$"))
    served.seed(lambda server: server.finish(runs[1]))
    expect(page.locator("#fresh")).to_have_text("1 gone")
    expect(page.locator("tr.gone")).to_have_attribute("data-key", runs[1])
    page.locator("#fresh").click()
    expect(rows).to_have_count(1)
    expect(page.locator("#fresh")).to_be_hidden()


def test_a_paused_page_stays_as_it_is(open_page: Opener, served: Served) -> None:
    """Until it goes on."""

    def begin(server: DashboardServer) -> None:
        server.register("answer")
        server.start()

    served.seed(begin)
    page = open_page(served, "/p/default/runs")
    page.keyboard.press("p")
    expect(page.locator("#live")).to_have_text(re.compile("paused"))
    served.seed(one_more_run)
    expect(page.locator("#fresh")).to_be_hidden()
    page.keyboard.press("p")
    expect(page.locator("#fresh")).to_have_text("1 new")


def test_a_page_that_hears_nothing_says_so(open_page: Opener, served: Served) -> None:
    """Until the server answers again, which it is asked by itself."""
    page = open_page(served, "/p/default/runs")
    expect(page.locator("#live")).to_have_text(re.compile("^.live$"))
    page.context.route("**/live?*", lambda route: route.fulfill(status=204))
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(page.locator("#live")).to_have_text(re.compile("not live"))
    page.context.unroute_all()
    expect(page.locator("#live")).to_have_text(re.compile("^.live$"))


def test_the_first_event_shows_by_itself(open_page: Opener, served: Served) -> None:
    """The page that teaches how to send one waits for it."""
    page = open_page(served, "/p/default/events")
    expect(page.locator("main")).to_contain_text("Waiting for the first event")
    served.seed(lambda server: server.start_nothing())
    expect(page.locator("main tr[data-key]")).to_have_count(1)


def test_cancelling_asks_first_and_shows_at_once(open_page: Opener, served: Served) -> None:
    """Leaving it changes nothing."""
    run: list[str] = []

    def begin(server: DashboardServer) -> None:
        server.register("answer")
        run.append(server.start())

    served.seed(begin)
    page = open_page(served, f"/p/default/runs/{run[0]}")
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("button", name="Leave it").click()
    expect(page.locator(".figures")).to_contain_text("queued")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#live")).to_have_text(re.compile("^.live$"))
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".figures")).to_contain_text("cancelled")
    expect(other.locator(".figures")).to_contain_text("cancelled")
    expect(other.get_by_role("button", name="Cancel run")).to_have_count(0)


def test_the_theme_is_kept(open_page: Opener, empty: Served) -> None:
    """Over pages, in this browser."""
    page = open_page(empty)
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_stretch_of_time_is_drawn_over(open_page: Opener, full: Served) -> None:
    """It leads to the runs that were queued in it."""
    page = open_page(full)
    chart = page.locator("svg[data-brush]")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    page.mouse.up()
    expect(page).to_have_url(re.compile("queued_after=.*queued_before="))
    expect(page.locator("main tr[data-key]")).to_have_count(17)


def test_a_stretch_is_drawn_over_whatever_happens_meanwhile(
    open_page: Opener, served: Served
) -> None:
    """Live updates leave the chart where it is until the button is let go."""

    def begin(server: DashboardServer) -> None:
        server.register("answer")
        server.start()

    served.seed(begin)
    page = open_page(served, "/p/default/runs")
    box = page.locator("svg[data-brush]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 20)
    page.mouse.down()
    see_one_more_run(page, served)
    page.mouse.up()
    expect(page).to_have_url(re.compile("queued_after=.*queued_before="))


def test_a_stretch_is_chosen_within_a_stretch(open_page: Opener, full: Served) -> None:
    """The list keeps its filters, and nothing before or after the stretch comes in."""
    since = datetime.now(UTC) - timedelta(minutes=100)
    page = open_page(full, f"/p/default/runs?status=completed&queued_after={since:%FT%TZ}")
    chart = page.locator("svg[data-brush]")
    chart.click(position={"x": 1, "y": 20})
    expect(page).to_have_url(re.compile(rf"status=completed.*queued_after={since:%FT%H}"))
    taken = parse_qs(urlsplit(page.url).query)["queued_after"][0]
    assert datetime.fromisoformat(taken) == since.replace(microsecond=0)
    expect(page.locator("main")).to_contain_text("No run fits")
