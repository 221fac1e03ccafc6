"""The pages of the docs: their Python runs, their links lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from source_tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page: Path) -> None:
    """Block after block, each with what those before it declared."""
    for example in Sybil([PythonCodeBlockParser()]).parse(page).examples():
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_to_a_heading(page: Path) -> None:
    """Pages and headings get other names; links have to follow."""
    broken = [
        f"{name}#{anchor}"
        for name, anchor in LINK.findall(_prose(page))
        if not _leads_somewhere(page.parent / name if name else page, anchor)
    ]
    assert broken == []


def _leads_somewhere(page: Path, anchor: str) -> bool:
    return page.is_file() and (not anchor or anchor in map(_anchor, HEADING.findall(_prose(page))))


def _prose(page: Path) -> str:
    return FENCED.sub("", page.read_text("utf-8"))


def _anchor(heading: str) -> str:
    """As renderers of Markdown make it: lower case, only words and hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
