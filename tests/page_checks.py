"""What any page must hold to in a browser: nothing cut, nothing over another, all in reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SLACK_PX = 3
MOST_TABS = 600
MOST = 10


def faults_of_layout(page: Page) -> list[str]:
    """What is wider than the window, lies over another text, or is cut with no way to read it."""
    faults: list[str] = []
    for name in ("tooWide", "overlapping", "cut"):
        found = page.evaluate(f"slack => checks.{name}(slack)", SLACK_PX)
        faults += [f"{name}: {one}" for one in found[:MOST]]
    return faults


def faults_of_tabbing(page: Page) -> list[str]:
    """What Tab doesn't reach, and where one can't see that it is."""
    wanted: list[str] = page.evaluate("() => checks.reachable()")
    reached: set[int] = set()
    faults = []
    for _ in range(min(MOST_TABS, len(wanted) + 1)):
        page.keyboard.press("Tab")
        at: dict[str, Any] | None = page.evaluate("() => checks.focused()")
        if at is None:
            break
        reached.add(at["reach"])
        if not at["isShown"]:
            faults.append(f"focus is not seen: {at['name']}")
    missed = [one for index, one in enumerate(wanted) if index not in reached]
    return [*faults[:MOST], *(f"not reached: {one}" for one in missed[:MOST])]
