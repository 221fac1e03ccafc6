"""Fixtures of the tests in a real browser: Debian's Chromium on a real server.

`open_page(served, path)` gives a page; the test fails where its console tells of an error, or where
anything is asked of another host.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from browsing import ARGUMENTS, PATIENCE_MS, Opener, Served, serve
from told import Told, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from assay.testing import Databases


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here need a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all tests of a process."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "there is no Chromium: apt-get install chromium"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def empty(assay_databases: Databases) -> Iterator[Served]:
    """A server on which nothing has happened."""
    with assay_databases.new() as database, serve(database) as served:
        yield served


class States:
    """The projects that every page is looked at in, each made when it is first asked for."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._made: dict[str, Told] = {}
        self._open = ExitStack()

    def __getitem__(self, state: str) -> Told:
        if state not in self._made:
            self._made[state] = self._open.enter_context(told(self._databases, state))
        return self._made[state]

    def close(self) -> None:
        """End their servers."""
        self._open.close()


@pytest.fixture(scope="session")
def states(assay_databases: Databases) -> Iterator[States]:
    """Projects by state: `empty`, `full`, `hostile`."""
    made = States(assay_databases)
    yield made
    made.close()


@pytest.fixture
def served(assay_database: str) -> Iterator[Served]:
    """A server on a database of this test's own, for tests that write."""
    with serve(assay_database) as one:
        yield one


@pytest.fixture
def open_page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Opener]:
    """Opens pages; the test fails where one told of an error or asked another host."""
    if "served" in request.fixturenames:
        # Pages are closed before their server is.
        request.getfixturevalue("served")
    opener = Opener(browser)
    yield opener
    for context in browser.contexts:
        context.close()
    assert opener.faults == []
