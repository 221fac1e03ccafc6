"""Finding by some letters: functions, experiments, scores, sessions, events, runs by their id.

The palette asks this page and takes its list over; without scripts it is the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.asking import part
from assay.dashboard.page import Page
from assay.ids import to_text
from assay.store import finding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from assay.dashboard.asking import Ask
    from assay.store.pages import Reading

LONGEST = 512
_LETTER = "[0-9A-HJKMNP-TV-Z]"
_BEGINNING = re.compile(f"[0-7]{_LETTER}{{3,25}}", re.IGNORECASE)
_ENDING = re.compile(f"{_LETTER}{{6,9}}", re.IGNORECASE)
_SHORTENED = ("\N{HORIZONTAL ELLIPSIS}", "...")
_PLACES = (("Send an event", "/events/send"), ("Compare two runs", "/runs/compare"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something with a page.

    Attributes:
        kind: what it is, as a word that stands beside it.
        word: what it is called. `more`: what tells it from others of that name.
    """

    kind: str
    word: str
    more: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindView:
    """What was asked for, and what fits."""

    text: str
    found: list[Found]


async def find(ask: Ask) -> FindView:
    """What is called by a text, or begins with it, or has it in its name; nothing for no text."""
    text = ask.query.get("q", "").strip()[:LONGEST]
    # No column of text holds a null character.
    if not text or "\0" in text:
        return FindView(text=text, found=[])

    async def read(reading: Reading) -> list[Found]:
        return [
            one
            for look in (_by_id, _functions, _experiments, _scores, _sessions, _events)
            async for one in look(ask, reading, text)
        ]

    places = [
        Found(kind="page", word=word, more="", href=ask.url(path))
        for word, path in _PLACES
        if text.lower() in word.lower()
    ]
    return FindView(text=text, found=[*await ask.read(read), *places])


async def _by_id(ask: Ask, reading: Reading, text: str) -> AsyncIterator[Found]:
    """Runs and events by their id, how it begins, or its end as pages show it."""
    ending = text
    for mark in _SHORTENED:
        ending = ending.removeprefix(mark)
    for of, kind in (("runs", "run"), ("events", "event")):
        found: list[finding.FoundId] = []
        if _BEGINNING.fullmatch(text):
            found += await finding.ids(reading, project=ask.project, of=of, text=text)
        if _ENDING.fullmatch(ending):
            found += await finding.ids_ending(reading, project=ask.project, of=of, text=ending)
        for one in dict.fromkeys(found):
            id_ = to_text(one.id)
            yield Found(kind=kind, word=id_, more=one.name, href=ask.url(f"/{of}/{id_}"))


async def _functions(ask: Ask, reading: Reading, text: str) -> AsyncIterator[Found]:
    for one in await finding.functions(reading, project=ask.project, text=text):
        href = ask.url(f"/functions/{part(one.app)}/{part(one.fn)}")
        yield Found(kind=one.kind, word=one.fn, more=one.app, href=href)


async def _experiments(ask: Ask, reading: Reading, text: str) -> AsyncIterator[Found]:
    for name in await finding.experiments(reading, project=ask.project, text=text):
        href = ask.url(f"/experiments/{part(name)}")
        yield Found(kind="experiment", word=name, more="", href=href)


async def _scores(ask: Ask, reading: Reading, text: str) -> AsyncIterator[Found]:
    for name in await finding.score_names(reading, project=ask.project, text=text):
        href = ask.url(f"/scores/{part(name)}")
        yield Found(kind="score", word=name, more="", href=href)


async def _sessions(ask: Ask, reading: Reading, text: str) -> AsyncIterator[Found]:
    """Session keys; sessions by how their id begins: of any key, or of one as `key=id`."""
    keys = await finding.session_keys(reading, project=ask.project)
    for key in finding.best(set(keys), text):
        yield Found(kind="session key", word=key, more="", href=ask.url(f"/sessions/{part(key)}"))
    key, equals, id_ = text.partition("=")
    asked = [(text, keys)] if not equals else [(text, keys), (id_, [key])]
    for begins, among in asked:
        for one in await finding.sessions(reading, project=ask.project, text=begins, keys=among):
            href = ask.url(f"/sessions/{part(one.key)}/{part(one.id)}")
            yield Found(kind="session", word=one.id, more=one.key, href=href)


async def _events(ask: Ask, reading: Reading, text: str) -> AsyncIterator[Found]:
    for name in await finding.event_names(reading, project=ask.project, text=text):
        yield Found(kind="events", word=name, more="", href=ask.url("/events", name=name))


PAGES = (Page(path="/find", name="find", title="Find", render=find),)
