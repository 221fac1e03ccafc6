"""Every error that a person can meet is explained in the docs."""

from __future__ import annotations

import ast
import re

from source_tree import ROOT, name, python_files

HEADING = re.compile(r"^## `([a-z0-9_]+)`$", re.MULTILINE)


def codes_in_source() -> dict[str, str]:
    """Each `code="..."` of a call or a default, and `code: ... = "..."`, with where it stands."""
    found: dict[str, str] = {}
    for path in python_files("src"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            values: list[ast.expr | None] = []
            if isinstance(node, ast.keyword) and node.arg == "code":
                values = [node.value]
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                values = [default for argument, default in arguments if argument.arg == "code"]
            for value in values:
                for part in ast.walk(value) if value is not None else ():
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found[part.value] = f"{name(path)}:{part.lineno}"
    return found


def test_every_code_has_an_entry_in_the_docs() -> None:
    """Add a heading to docs/errors.md: what happened, why, what to do."""
    documented = HEADING.findall((ROOT / "docs" / "errors.md").read_text("utf-8"))
    assert sorted(documented) == documented, "keep the entries in order"
    missing = {code: at for code, at in codes_in_source().items() if code not in documented}
    assert missing == {}


def test_the_docs_have_no_entry_for_a_code_that_is_gone() -> None:
    """An entry that nobody can meet misleads."""
    documented = HEADING.findall((ROOT / "docs" / "errors.md").read_text("utf-8"))
    assert set(documented) <= set(codes_in_source())
