"""Fixtures of the crash tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crash.field import Field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def field(assay_database: str, tmp_path: Path) -> Iterator[Field]:
    """Processes on a database of this test's own; what is left of them is killed."""
    with Field(assay_database, tmp_path) as field:
        yield field
