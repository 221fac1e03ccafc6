"""Every page, with all that it can show, and whatever users wrote."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

import html_pages
from assay.dashboard.asking import part
from assay.dashboard.registry import PAGES
from assay.dashboard.texts import visible
from dashboard_server import DashboardServer
from project_story import Story, tell
from project_words import MARK, Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.dashboard.page import Page
    from assay.testing import Databases
    from html_pages import Element

PROJECT = "/p/default"
ULID = re.compile("[0-9A-HJKMNP-TV-Z]{26}")
OTHER_WORDS = re.compile(r"\b(silent|(un)?answered|no response|lost|censored)\b")
HIDDEN = re.compile("[\0\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Told:
    """A server with a story."""

    def __init__(self, server: DashboardServer, story: Story) -> None:
        self.server = server
        self.story = story
        self.places = [place for page in PAGES for place in story.places(page)]
        self._texts: dict[str, str] = {}

    def text(self, place: str) -> str:
        """A page as it is sent."""
        if place not in self._texts:
            response = self.server.ask("GET", PROJECT + place)
            assert response.status_code == 200, (place, response.text)
            self._texts[place] = response.text
        return self._texts[place]

    def page(self, place: str) -> Element:
        """A page."""
        return html_pages.read(self.text(place))


@pytest.fixture(scope="module", params=[Words(), hostile()], ids=["usual", "hostile"])
def told(request: pytest.FixtureRequest, assay_databases: Databases) -> Iterator[Told]:
    """A project in usual words, and the same in the worst."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        yield Told(server, tell(server, request.param))


@pytest.fixture(scope="module")
def hurt(assay_databases: Databases) -> Iterator[Told]:
    """A project in the worst words."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        yield Told(server, tell(server, hostile()))


def test_what_users_wrote_is_text(hurt: Told) -> None:
    """No element or attribute is made of it, and what hides in text is written out."""
    for place in hurt.places:
        page = hurt.page(place)
        assert page.all("h1") or page.all(class_="head") or page.all(data_close_panel=""), place
        for tag in (MARK, "img", "iframe", "object", "style"):
            assert page.all(tag) == [], (place, tag)
        for script in page.all("script"):
            assert script.attributes["src"].startswith("/static/")
            assert script.children == []
        for element in page.all():
            wrong = [
                name for name in element.attributes if name.startswith("on") or name == "style"
            ]
            assert wrong == [], (place, element)
        assert HIDDEN.search(hurt.text(place)) is None, place


def test_every_field_that_users_fill_is_shown_whole(hurt: Told) -> None:
    """On some page, as text: nothing of it is lost on the way."""
    shown = " ".join(hurt.page(place).text for place in hurt.places)
    texts = {field.name: getattr(hurt.story.words, field.name) for field in fields(Words)}
    missing = [
        name for name, text in texts.items() if not any(form in shown for form in _forms(text))
    ]
    assert missing == [], missing


def _forms(text: str) -> Iterator[str]:
    """How a text may be shown: as it is, in JSON, and with what no column holds replaced."""
    replaced = text.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    for kept in (text, replaced, text.replace("\ud800", "\\ud800")):
        yield " ".join(visible(kept).split())
        yield " ".join(visible(json.dumps(kept, ensure_ascii=False)[1:-1]).split())
    yield " ".join(visible(json.dumps(text, ensure_ascii=False)[1:-1]).split()).replace(
        "\u27e8U+D800\u27e9", "\\ud800"
    )


def test_every_link_leads_to_a_page(told: Told) -> None:
    """Lists, filters, records, rows, panels and exports, whatever ids hold."""
    found: dict[str, str] = {}
    for place in told.places:
        for name, element in (("href", "a"), ("data-href", "tr"), ("data-peek", "tr")):
            for one in told.page(place).all(element):
                link = urljoin(PROJECT + place, one.attributes.get(name, "")).partition("#")[0]
                if link.startswith(PROJECT):
                    found.setdefault(_shape(link), link)
    answers = {link: told.server.ask("GET", link) for link in found.values()}
    broken = [
        (link, answer.text[-600:]) for link, answer in answers.items() if answer.status_code != 200
    ]
    assert broken == [], broken


def _shape(link: str) -> str:
    """Links to things of a kind are alike, whichever the thing and the choice of a filter."""
    path, _, query = link.partition("?")
    names = sorted(pair.partition("=")[0] for pair in query.split("&"))
    return f"{ULID.sub('*', path)}?{'&'.join(names)}"


def test_what_became_of_a_promise_has_one_word(told: Told) -> None:
    """That of its state; no response is what an experiment counts, and it counts runs."""
    for place in told.places:
        page = told.page(place)
        heads = [head for table in page.all("thead") for head in table.all("th")]
        words = {one.text.lower() for one in [*heads, *page.all(class_="badge")]}
        others = {word for word in words if OTHER_WORDS.search(word)}
        if place.startswith("/experiments/"):
            others.discard("no response")
        assert others == set(), place


def test_a_link_leads_to_the_thing_that_it_names(hurt: Told) -> None:
    """With slashes, percent signs, quotes and marks in its id."""
    words = hurt.story.words
    for list_, path, name in (
        ("/sessions", f"/sessions/{part(words.session_key)}", words.session_key),
        (
            f"/sessions/{part(words.session_key)}",
            f"/sessions/{part(words.session_key)}/{part(words.session_id)}",
            words.session_id,
        ),
        ("/experiments", f"/experiments/{part(words.experiment)}", words.experiment),
    ):
        links = [a for a in hurt.page(list_).all("a") if a.attributes["href"] == PROJECT + path]
        assert links, path
        assert hurt.page(path).one("h1").text == " ".join(visible(name).split())


@pytest.mark.parametrize("page", [p for p in PAGES if "{" in p.path], ids=lambda page: page.path)
def test_a_name_that_no_column_holds_is_refused(dash: DashboardServer, page: Page) -> None:
    """It is the asker's mistake, or names nothing: never a fault of the server."""
    place = re.sub(r"\{\w+\}", "a%00b", page.path)
    answer = dash.ask("GET", PROJECT + place)
    assert answer.status_code in {400, 404, 422}, answer.text
