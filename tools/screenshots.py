"""Takes README's pictures: the pages of a run, a session and an experiment of `assay demo`.

    python tools/screenshots.py

For development alone: it needs Debian's Chromium, and writes `docs/images/`.
"""

# ruff: noqa: INP001 - a script

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs/images"
ASSAY = Path(sys.executable).parent / "assay"
WIDTH, HEIGHT = 1280, 800
MOST_BYTES = 200_000


def main() -> None:
    """Run the demo in a directory of its own and look at it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assay-shots-") as directory:
        command = [str(ASSAY), "demo", "--port", "0", "--data-dir", f"{directory}/.assay"]
        demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
        try:
            shoot(_address(demo))
        finally:
            demo.terminate()
            demo.wait()


def shoot(url: str) -> None:
    """Take the three pictures of a server that has the demo's runs."""
    paths = {
        "run": f"/runs/{_first(url, 'runs?score=task-reward&score_is=false&limit=1')}",
        "session": f"/sessions/task/{_first(url, 'sessions/task')}",
        "experiment": f"/experiments/{_first(url, 'experiments')}",
    }
    with sync_playwright() as playwright:
        found = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, path in paths.items():
            _take(page, f"{url}/p/default{path}", IMAGES / f"{name}.png")
        browser.close()


def _take(page: Page, address: str, to: Path) -> None:
    page.goto(address)
    if "/runs/" in address:
        page.locator(".trace-row").first.wait_for()
    page.screenshot(path=to, animations="disabled")
    assert to.stat().st_size < MOST_BYTES, f"{to.name} has {to.stat().st_size} bytes"


def _address(demo: subprocess.Popen[str]) -> str:
    """Where the demo serves, once it has run all of it."""
    assert demo.stdout is not None
    address = ""
    for line in demo.stdout:
        if line.startswith("ready "):
            address = line.split()[1]
        if line.startswith("Ctrl-C"):
            return address
    raise RuntimeError("assay demo ended before it was done")


def _first(url: str, path: str) -> str:
    return str(httpx2.get(f"{url}/api/v1/{path}").json()["data"][0]["id"])


if __name__ == "__main__":
    main()
