"""The tests that the page about testing shows pass when pytest runs them as they stand there."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from source_tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SERVER = """
import pytest

@pytest.fixture(scope="session")
def assay_server():
    return {!r}
"""


def test_the_tests_of_the_page_pass(tmp_path: Path, postgres: str) -> None:
    """In a directory of their own, with the fixture that names a server of one's own."""
    page = Sybil([PythonCodeBlockParser()]).parse(ROOT / "docs" / "testing.md")
    plugin, *blocks = [str(example.parsed) for example in page.examples()]
    (tmp_path / "conftest.py").write_text(f"{plugin}\n{SERVER.format(postgres)}")
    (tmp_path / "test_page.py").write_text("\n".join(blocks))

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
