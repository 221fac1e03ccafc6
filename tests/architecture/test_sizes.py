"""Nothing grows beyond what can be read at one go."""

from __future__ import annotations

import ast

from source_tree import name, python_files, source_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PUBLIC_METHODS = 15


def test_no_file_is_over_400_lines() -> None:
    """Split it by concept."""
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in source_files()}
    assert len(lengths) > 10
    assert {path: length for path, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_over_60_lines() -> None:
    """Give its parts names."""
    too_long = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert too_long == []


def test_no_class_has_over_15_public_methods() -> None:
    """Two concepts in one class are two classes."""
    too_wide = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in python_files("src")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and sum(
            isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
            and not part.name.startswith("_")
            and not any(ast.unparse(mark).endswith("overload") for mark in part.decorator_list)
            for part in node.body
        )
        > MAX_PUBLIC_METHODS
    ]
    assert too_wide == []
