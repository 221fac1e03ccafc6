"""Projects that a browser looks at: one in which nothing has happened, and stories in any words."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2

import published_experiment
from browsing import PATIENCE_MS, Served, serve
from project_story import Story, nothing, tell
from project_words import Words, hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.dashboard.page import Page
    from assay.testing import Databases
    from dashboard_server import DashboardServer

PROJECT = "/p/default"


@dataclass(frozen=True)
class Told:
    """A server and what there is to look at."""

    served: Served
    story: Story

    def places(self, page: Page) -> list[str]:
        """Where a page is opened, from the server's root."""
        return [PROJECT + place for place in self.story.places(page)]

    def status(self, place: str) -> int:
        """What the server answers with: there is nothing to look at where nothing happened."""
        return httpx2.get(self.served.url + place, timeout=PATIENCE_MS / 1000).status_code


@contextmanager
def told(databases: Databases, state: str) -> Iterator[Told]:
    """A project that is `empty`, `full` or `hostile`, served until the block ends."""
    stories: list[Story] = []

    def fill(server: DashboardServer) -> None:
        if state == "empty":
            stories.append(nothing(server))
        elif state == "hostile":
            stories.append(tell(server, hostile()))
        else:
            stories.append(_full(server))

    with databases.new() as database, serve(database) as served:
        served.seed(fill)
        yield Told(served, stories[0])


def _full(server: DashboardServer) -> Story:
    """Usual words, and beside them the published experiment with a verdict."""
    story = tell(server, Words())
    published_experiment.load(server.url, published_experiment.plan())
    published_experiment.take(server.url, published_experiment.LAST + timedelta(hours=1))
    return replace(story, experiments=(*story.experiments, published_experiment.NAME))
