"""What others made: pinned by hash, with its licence, and nothing else; nothing from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from source_tree import PACKAGE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from dashboard_server import DashboardServer

DASHBOARD = PACKAGE / "dashboard"
PLACES = (DASHBOARD / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")


@pytest.mark.parametrize("folder", PLACES, ids=["shipped", "tests"])
def test_vendored_files_are_those_of_the_lock(folder: Path) -> None:
    """Each has the hash that it was taken with, and none lies beside them."""
    lock = json.loads((folder / "vendor.lock.json").read_text("utf-8"))
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "vendor.lock.json"
    }
    assert hashes == {entry["file"]: entry["sha256"] for entry in lock}
    packages = {entry["name"] for entry in lock}
    assert {entry["name"] for entry in lock if "LICENSE" in entry["file"]} == packages
    assert all(entry["version"] and entry["licence"] for entry in lock)


def test_templates_name_no_other_host_and_no_inline_code() -> None:
    """The policy would refuse it in the browser; here it is found sooner."""
    wrong = re.compile(
        r"https?://|\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE
    )
    found = [
        f"{path.name}: {match[0]}"
        for path in sorted((DASHBOARD / "templates").rglob("*.html"))
        for match in wrong.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_own_scripts_ask_no_other_host_and_make_no_code() -> None:
    """No eval in any of its forms."""
    wrong = re.compile(r"https?://(?!www\.w3\.org/)|\beval\(|new Function|import\(")
    found = [
        f"{path.name}: {match[0]}"
        for path in sorted((DASHBOARD / "static").glob("*.js"))
        for match in wrong.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_modules_are_asked_for_at_once(dash: DashboardServer) -> None:
    """All that a page's scripts import, however deep, so that no chain of requests holds it up."""
    page = dash.look("/runs/compare")
    asked = {link.attributes["href"] for link in page.all("link", rel="modulepreload")}
    asked |= {script.attributes["src"] for script in page.all("script", type="module")}
    names = {href.split("/", 3)[3] for href in asked}
    imports = re.compile(r'^import .*from "\./(.+)"', re.MULTILINE)
    for name in names:
        assert names.issuperset(imports.findall((DASHBOARD / "static" / name).read_text("utf-8")))
    assert "saying.js" in names


def test_a_page_weighs_less_than_700_kb() -> None:
    """All that any page could ask for, before compression."""
    static = DASHBOARD / "static"
    sizes = [path.stat().st_size for path in static.rglob("*") if path.suffix in {".js", ".css"}]
    assert sum(sizes) < 700_000
