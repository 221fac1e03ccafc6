"""The page about SQL: its statements run, and it knows every view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from copied_statements import rows
from dashboard_server import DashboardServer
from project_story import tell
from project_words import Words
from source_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.testing import Databases

PAGE = (ROOT / "docs" / "sql.md").read_text("utf-8")
STATEMENTS = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
VIEWS = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
DESCRIBED = (
    "SELECT c.relname AS view, obj_description(c.oid) AS about, c.reloptions AS options"
    " FROM pg_class c WHERE c.relnamespace = 'insights'::regnamespace AND c.relkind = 'v'"
)


@pytest.fixture(scope="module")
def told(assay_databases: Databases) -> Iterator[DashboardServer]:
    """A project in the words that the page uses."""
    with assay_databases.new() as database, DashboardServer(database) as server:
        tell(server, Words())
        yield server


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_of_the_page_finds_something(told: DashboardServer, statement: str) -> None:
    """In a project where something has happened."""
    assert rows(told, statement)


def test_every_view_is_on_the_page_and_describes_itself(told: DashboardServer) -> None:
    """And has the rights of whoever asks: else it would show all projects."""
    found = rows(told, DESCRIBED)
    assert sorted(one["view"] for one in found) == sorted(VIEWS)
    for one in found:
        assert one["about"], one["view"]
        assert one["options"] == ["security_invoker=true"]
