"""Type checkers infer what users expect, and refuse what would fail at run time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _mypy(file: Path, cache: Path) -> set[int]:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={cache}", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode in (0, 1), done.stderr
    lines = re.findall(rf"{file.name}:(\d+): error", done.stdout)
    assert lines or done.returncode == 0, done.stdout
    return set(map(int, lines))


def _pyright(file: Path, directory: Path) -> set[int]:
    # A configuration of its own, since the project's leaves out what is to be refused.
    config = {
        "include": [str(file)],
        "extraPaths": [str(ROOT / "src")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    path = directory / "pyrightconfig.json"
    path.write_text(json.dumps(config))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--outputjson", f"--project={path}"),
            f"--pythonpath={sys.executable}",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    return {
        one["range"]["start"]["line"] + 1
        for one in found["generalDiagnostics"]
        if one["severity"] == "error"
    }


@pytest.mark.parametrize("check", [_mypy, _pyright], ids=["mypy", "pyright"])
@pytest.mark.parametrize("name", ["accepted.py", "misuse.py"])
def test_checkers_agree_with_the_marks(
    name: str, check: Callable[[Path, Path], set[int]], tmp_path: Path
) -> None:
    """Errors on the lines that end in `# refused`, and on no others."""
    file = HERE / name
    lines = file.read_text().splitlines()
    marked = {place for place, line in enumerate(lines, 1) if line.endswith("  # refused")}
    assert check(file, tmp_path) == marked
