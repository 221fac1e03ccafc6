"""Every error that a person can meet is explained in the docs."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from source_tree import ROOT, name, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADING = re.compile(r"^## `([a-z0-9_]+)`$", re.MULTILINE)
IN_SQL = re.compile(r'"code":"([a-z0-9_]+)"')
FIRST_IS_CODE = ("coded", "check_size")
Scopes = dict[ast.AST, ast.FunctionDef | ast.AsyncFunctionDef]


def codes_in_source() -> dict[str, str]:
    """Every code that an error of `src` can have, with where it stands."""
    found: dict[str, str] = {}
    for path in python_files("src"):
        tree = ast.parse(path.read_text("utf-8"))
        scopes = _scopes(tree)
        for node in ast.walk(tree):
            for value in _values(node):
                for code in _codes(value, tree, scopes):
                    found[code] = f"{name(path)}:{value.lineno}"
    for path in sorted((ROOT / "src").rglob("*.sql")):
        for code in IN_SQL.findall(path.read_text("utf-8")):
            found[code] = name(path)
    return found


def _values(node: ast.AST) -> Iterator[ast.expr]:
    """What is written where a code belongs.

    That is a `code=` of a call, its default in a signature, `"code":` of a dict, the first argument
    of what takes one there, and the first of pairs that are unpacked into `code, ...`.
    """
    if isinstance(node, ast.keyword) and node.arg == "code":
        yield node.value
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        yield from (
            default for argument, default in arguments if default and argument.arg == "code"
        )
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from (value for key, value in pairs if _text(key) == "code")
    elif isinstance(node, ast.Call) and node.args and _called(node) in FIRST_IS_CODE:
        yield node.args[0]
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        first = node.targets[0].elts[0]
        if isinstance(first, ast.Name) and first.id == "code":
            pairs_of = (part for part in ast.walk(node.value) if isinstance(part, ast.Tuple))
            yield from (pair.elts[0] for pair in pairs_of)


def _codes(value: ast.expr, tree: ast.Module, scopes: Scopes) -> Iterator[str]:
    """The codes that an expression can give; none where another place decides."""
    if isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _codes(part, tree, scopes)
    elif isinstance(value, ast.JoinedStr):
        yield from _composed(value, tree, scopes)
    elif (text := _text(value)) is not None:
        yield text


def _composed(value: ast.JoinedStr, tree: ast.Module, scopes: Scopes) -> Iterator[str]:
    """The codes of an f-string around a parameter, from the calls of its function."""
    (hole,) = [part.value for part in value.values if isinstance(part, ast.FormattedValue)]
    assert isinstance(hole, ast.Name)
    function = scopes[value]
    place = [argument.arg for argument in function.args.args].index(hole.id)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _called(call) == function.name:
            filling = _text(call.args[place])
            if filling is not None:
                parts = (_text(part) for part in value.values)
                yield "".join(filling if part is None else part for part in parts)


def _scopes(tree: ast.Module) -> Scopes:
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node: function for function in functions for node in ast.walk(function)}


def _called(call: ast.Call) -> str | None:
    return call.func.id if isinstance(call.func, ast.Name) else None


def _text(node: ast.AST | None) -> str | None:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else None  # type: ignore[union-attr]  # is_text says so


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
