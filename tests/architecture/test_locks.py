"""The locks: whole, with hashes, and silent about where packages come from."""

from __future__ import annotations

import re
import tomllib

import pytest

from source_tree import ROOT

PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==", re.MULTILINE)


def name_of(requirement: object) -> str:
    """The normalised name in a requirement."""
    found = re.match(r"[A-Za-z0-9._-]+", str(requirement))
    assert found is not None
    return re.sub(r"[._-]+", "-", found[0]).lower()


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ["build"]),
        ("requirements-dev.lock", ["build", "test", "lint"]),
        ("requirements-bench.lock", ["build", "test", "lint", "bench"]),
    ],
)
def test_a_lock_holds_all_that_pyproject_asks_for(lock: str, groups: list[str]) -> None:
    """Otherwise run `make lock`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = list(project["project"]["dependencies"])
    for group in groups:
        wanted += project["dependency-groups"][group]
    pinned = set(PINNED.findall((ROOT / lock).read_text("utf-8")))
    assert {name_of(requirement) for requirement in wanted} - pinned == set()


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_a_lock_has_hashes_and_names_no_index(lock: str) -> None:
    """What is installed is what was locked, whichever mirror it comes from."""
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block
