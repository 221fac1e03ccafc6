"""The program on a database of a test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from program import Program

if TYPE_CHECKING:
    from pathlib import Path

HURRY = {"ASSAY_LEASE_S": "1", "ASSAY_HEARTBEAT_S": "0.3"}


@pytest.fixture
def assay(database: str, tmp_path: Path) -> Program:
    """The program, with `ASSAY_DATABASE_URL` set."""
    return Program({**HURRY, "ASSAY_DATABASE_URL": database}, tmp_path)


@pytest.fixture
def embedded(data_dir: Path, tmp_path: Path) -> Program:
    """The program with an embedded database."""
    return Program({**HURRY, "ASSAY_DATA_DIR": str(data_dir)}, tmp_path)
