"""Who may import whom, and what user code has to load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from source_tree import ROOT

HEAVY = ("fastapi", "numpy", "psycopg", "scipy", "starlette", "uvicorn", "rich", "typer")

USER_CODE = """
import json, sys
import assay
client = assay.Client("imports")

@client.function("one", on="one/asked")
async def one(ctx: assay.Context) -> int:
    return 1

print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


def test_rooms_import_only_the_rooms_below_them() -> None:
    """The contracts in pyproject.toml hold."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_user_code_loads_nothing_heavy() -> None:
    """A client and a decorated function need neither server, database nor numbers."""
    done = subprocess.run(
        [sys.executable, "-c", USER_CODE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "assay" in loaded
    assert sorted(loaded.intersection(HEAVY)) == []
