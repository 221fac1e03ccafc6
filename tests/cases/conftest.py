"""Fixtures of the engine's cases: a sandbox on a database of the test's own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from assay.testing import Sandbox

if TYPE_CHECKING:
    from boxes import OpenBox


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture
def open_box(assay_database: str) -> OpenBox:
    """Opens a sandbox for clients."""
    return partial(Sandbox, database_url=assay_database)
