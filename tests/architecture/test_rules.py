"""What stands where: SQL, the environment, names, re-exports."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from source_tree import PACKAGE, ROOT, name, python_files, source_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SQL = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|SELECT\s+[\w.]+\(|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|CREATE\s+(TABLE|INDEX|ROLE|DATABASE|SCHEMA|FUNCTION)\s|ALTER\s+(TABLE|ROLE)\s"
    r"|DROP\s+(TABLE|ROLE|DATABASE)\s|TRUNCATE\s|WITH\s+\w+\s+AS\s*\(|LISTEN\s+\w|NOTIFY\s+\w"
    r"|SET\s+(LOCAL\s+)?(ROLE|search_path)\b)",
    re.DOTALL,
)
HEAP_NAMES = {"common", "helper", "helpers", "misc", "util", "utils"}


def test_migrations_are_numbered_one_by_one() -> None:
    """The version of a database is the number of the last: two of one number would hide one."""
    names = sorted(path.name for path in (PACKAGE / "store" / "schema").glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(len(names)))


def is_sql(text: str) -> bool:
    """Whether it starts as a statement does, in capitals or not; a capital alone begins prose."""
    words = text.split(maxsplit=1)
    return bool(words) and bool(SQL.search(text.upper() if words[0].islower() else text))


def docstrings(tree: ast.AST) -> set[int]:
    """Ids of the nodes that are docstrings or stand alone like one."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """String literals with their lines; an f-string's parts are one string."""
    tree = ast.parse(path.read_text("utf-8"))
    apart = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            yield node.lineno, "".join(str(text) for text in texts)
        elif isinstance(node, ast.Constant) and id(node) not in apart:
            yield node.lineno, str(node.value)


def test_sql_stands_only_in_the_store() -> None:
    """One place to look when a table changes."""
    found = [
        f"{name(path)}:{line} {text[:60]!r}"
        for path in python_files("src")
        if PACKAGE / "store" not in path.parents
        for line, text in strings(path)
        if is_sql(text)
    ]
    found += [name(path) for path in source_files("src") if is_sql_outside_the_store(path)]
    assert found == []


def is_sql_outside_the_store(path: Path) -> bool:
    """Whether it is a file of SQL in another room."""
    return path.suffix == ".sql" and PACKAGE / "store" not in path.parents


def test_the_rule_knows_sql_when_it_sees_it() -> None:
    """Otherwise the test above says nothing."""
    for text in (
        "SELECT id FROM runs",
        "\n  insert into scores values ($1)",
        "UPDATE turns SET state = 1",
        "WITH due AS (SELECT 1)",
        "SELECT assay_flush($1)",
    ):
        assert is_sql(text)
    for text in ("Select a run from the list", "update the settings", "deleted from disk"):
        assert not is_sql(text)


def test_only_settings_reads_the_environment() -> None:
    """What a process depends on is listed in one dataclass."""
    found = []
    for path in python_files("src"):
        if path == PACKAGE / "settings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                names = {node.attr}
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                names = {alias.name for alias in node.names}
            else:
                continue
            if names & {"environ", "environb", "getenv"}:
                found.append(f"{name(path)}:{node.lineno}")
    assert found == []


def test_no_module_is_a_heap() -> None:
    """A module is named by its concept."""
    found = [
        name(path)
        for path in python_files()
        if path.stem in HEAP_NAMES or HEAP_NAMES & set(path.relative_to(ROOT).parts)
    ]
    assert found == []


def test_init_files_only_re_export() -> None:
    """A docstring, imports, `__all__`, and in the package's own the lazy `__getattr__`."""
    found = []
    for path in python_files("src"):
        if path.name != "__init__.py":
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            allowed: tuple[type[ast.stmt], ...] = (ast.Import, ast.ImportFrom, ast.If)
            if path.parent == PACKAGE:
                allowed += (ast.FunctionDef,)
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not (isinstance(node, allowed) or is_docstring or is_plain_name(node, path)):
                found.append(f"{name(path)}:{node.lineno}")
    assert found == []


def is_plain_name(node: ast.stmt, path: Path) -> bool:
    """Whether it sets `__all__`, a version, or the package's table of lazy names."""
    if isinstance(node, ast.Assign):
        targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        targets = [node.target.id]
    else:
        return False
    return all(target in {"__all__", "__version__"} for target in targets) or (
        path.parent == PACKAGE and all(target.startswith("_") for target in targets)
    )


def test_every_room_says_what_it_is_for() -> None:
    """The docstring of its `__init__.py`."""
    silent = [
        name(path)
        for path in python_files("src")
        if path.name == "__init__.py"
        and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert silent == []


def test_no_test_patches_or_sleeps() -> None:
    """Fakes stand behind ports, and tests wait for a condition."""
    found = []
    for path in python_files("tests"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute | ast.Name):
                text = ast.unparse(node)
                if text in {"time.sleep", "mock.patch", "unittest.mock"}:
                    found.append(f"{name(path)}:{node.lineno} {text}")
    assert found == []
