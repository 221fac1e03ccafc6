"""The project's own files, for the tests that read them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "assay"
SOURCE_SUFFIXES = frozenset({".css", ".html", ".jinja", ".js", ".py", ".sql"})
PLACES = ("src", "tests", "benchmarks", "examples")


def source_files(*places: str) -> list[Path]:
    """Files that people write, without what others made (`vendor`)."""
    return [
        path
        for place in places or PLACES
        for path in sorted((ROOT / place).rglob("*"))
        if path.suffix in SOURCE_SUFFIXES and "vendor" not in path.parts and path.is_file()
    ]


def python_files(*places: str) -> list[Path]:
    """Those in Python."""
    return [path for path in source_files(*places) if path.suffix == ".py"]


def name(path: Path) -> str:
    """The path as it is read in a message."""
    return str(path.relative_to(ROOT))
