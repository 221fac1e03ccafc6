"""A real browser on a real server: what tests of pages work with.

Servers run in threads of their own, for Playwright's loop runs in the tests'; what writes to their
databases does so in another thread (`Served.seed`).
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from assay.app.serving import serving
from assay.clock import ManualClock
from assay.settings import Settings
from dashboard_server import DashboardServer

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERE = Path(__file__).parent / "browser"
LOOKED_OVER_BY = (HERE / "vendor" / "axe.min.js", HERE / "checks.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATIENCE_MS = 30_000
"""For a machine that others load: what works takes a second."""


def a_while_ago() -> ManualClock:
    """A clock behind that of the server: what is written by it lies in no page's future."""
    return ManualClock(datetime.now(UTC) - timedelta(minutes=10))


@dataclass(frozen=True)
class Served:
    """A server that answers a browser.

    Attributes:
        clock: of what is written to its database.
    """

    url: str
    database: str
    clock: ManualClock = field(default_factory=a_while_ago)

    def seed(self, fill: Callable[[DashboardServer], None]) -> None:
        """Write rows as an engine would have."""

        def work() -> None:
            with DashboardServer(self.database, clock=self.clock) as server:
                fill(server)

        with ThreadPoolExecutor(1) as thread:
            thread.submit(work).result()


@contextmanager
def serve(database: str) -> Iterator[Served]:
    """A server on a database, until the block ends."""
    up: list[tuple[asyncio.AbstractEventLoop, str]] = []
    is_up, stop = threading.Event(), asyncio.Event()

    async def work() -> None:
        async with serving(database, Settings(), host="127.0.0.1", port=0) as address:
            up.append((asyncio.get_running_loop(), address))
            is_up.set()
            await stop.wait()

    # What is left of a stream that was cut ends with its loop, not when it is collected.
    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    assert is_up.wait(PATIENCE_MS / 1000), "the server does not come up"
    ((loop, address),) = up
    try:
        yield Served(address, database)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_MS / 1000)
        assert not thread.is_alive(), "the server does not end"


@dataclass
class Opener:
    """Opens pages and remembers what went wrong in them."""

    browser: Browser
    faults: list[str] = field(default_factory=list)

    def __call__(
        self,
        served: Served,
        path: str = "/p/default/",
        *,
        width: int = 1300,
        scheme: str = "light",
        scripts: bool = True,
        is_open: bool = False,
        status: int = 200,
    ) -> Page:
        """A page in a context of its own.

        Args:
            served: by which server.
            path: from the server's root.
            width: of the window, in pixels.
            scheme: `light` or `dark`.
            scripts: whether JavaScript runs.
            status: that the server answers with.
            is_open: whether it is looked over, by `violations` and `page_checks`.
        """
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        if is_open:
            # Put there by the browser, which asks no policy: the page keeps its own.
            for script in LOOKED_OVER_BY:
                context.add_init_script(path=script)
        page = context.new_page()

        def hear(message: ConsoleMessage) -> None:
            # The browser tells of a refused page as of an error, and after some seconds of what was
            # preloaded for scripts that it does not run.
            is_expected = (status != 200 and f"status of {status}" in message.text) or (
                not scripts and "was preloaded using link preload but not used" in message.text
            )
            if message.type in {"error", "warning"} and not is_expected:
                self.faults.append(f"{path}: {message.text}")

        def see(request: Request) -> None:
            if not request.url.startswith((served.url, "data:")):
                self.faults.append(f"{path}: asks {request.url}")

        page.on("console", hear)
        page.on("pageerror", lambda error: self.faults.append(f"{path}: {error}"))
        page.on("request", see)
        page.goto(served.url + path)
        return page


def arrives(page: Page, address: str | re.Pattern[str]) -> None:
    """Wait until a page is left for another whose scripts listen: keys pressed before are lost."""
    expect(page).to_have_url(address)
    page.wait_for_load_state()


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG A and AA on a page that was opened with `is_open`."""
    found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
