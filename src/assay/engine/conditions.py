"""Conditions in CEL over the run's trigger event and an arriving event. Pure, no I/O.

`event` is the event that started the run, `async` the one that arrives; each has `id`, `name`,
`data`, `ts` (milliseconds) and `sessions`. A condition holds only if it is true: a key that is
missing, an operation that types don't allow, an error of any kind is "no match".

- Numbers compare across int and double (1 == 1.0), whole numbers beyond 64 bits as doubles;
  arithmetic doesn't mix them (write `double(event.data.n) + 0.5`). `1 == "1"` is false.
- `has`, `in`, `exists`, `exists_one`, `all`, `filter`, `map`, `matches` (RE2, linear) are allowed:
  the runtime bounds the nesting and the number of iterations, and going beyond is "no match".
- A missing key under `!` is no match either; `has(x) && ...` and `!has(x)` say what is meant.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from assay.engine.matching import MAX_DEPTH, is_comparable, lookup, path_of, storable
from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.model.events import Json

_WHERE = re.compile(r"<input>:(?P<line>\d+):(?P<column>\d+): (?P<what>.*)")

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_STRING = r"\"[^\"\\\x00-\x1f]*\"|'[^'\\\x00-\x1f]*'"
_PATH = rf"(?:\.{_NAME}|\[(?:{_STRING})\])+"
_KEY = re.compile(rf"\.({_NAME})|\[({_STRING})\]")
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_OPERAND = rf"event\.data{_PATH}|null|true|false|{_NUMBER}|{_STRING}"
_EQUALS = (
    re.compile(rf"\s*async\.data(?P<path>{_PATH})\s*==\s*(?P<operand>{_OPERAND})\s*"),
    re.compile(rf"\s*(?P<operand>{_OPERAND})\s*==\s*async\.data(?P<path>{_PATH})\s*"),
)
_WORDS: dict[str, Json] = {"null": None, "true": True, "false": False}

_TOKEN = re.compile(
    r"""(?P<unusual>//|`|\"{3}|'{3}|\w["'])"""
    r"""|\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<cut>&&)|(?P<other>\|\||\?)|.""",
    re.DOTALL,
)


class Condition:
    """A compiled condition. Made by `Condition.compile`, which keeps the last 1,024.

    Attributes:
        text: as written.
    """

    __slots__ = ("_bool", "_program", "text")

    def __init__(self, text: str, program: Any, bool_type: Any) -> None:
        self.text = text
        self._program = program
        self._bool = bool_type

    @staticmethod
    def compile(text: str, *, variables: tuple[str, ...] = ("event", "async")) -> Condition:
        """The condition written in `text`, in which only `variables` may be named.

        Raises:
            AssayError: `bad_condition`, with the place, for what is not a CEL expression that
                can give a boolean.
        """
        return _compile(text, variables)

    def holds(self, variables: Mapping[str, Json]) -> bool:
        """Whether the condition is true of these variables; false where it can't be told."""
        values = {name: _plain(value) for name, value in variables.items()}
        try:
            result = self._program.eval(data=values)
            return bool(result.type() == self._bool and result.value())
        except RuntimeError:
            # Errors of evaluation come back as values; passing the iteration limit is raised.
            return False


class Split(NamedTuple):
    """A condition in two parts, both of which must hold.

    Attributes:
        match: values that the arriving event's data must have, by path.
        rest: the CEL text that remains to be evaluated, if any.
    """

    match: dict[str, Json]
    rest: str | None


def split(text: str, event: Mapping[str, Json]) -> Split:
    """Take out of a wait's condition what an index can answer.

    Conjuncts `async.data.x == <literal>` and `async.data.x == event.data.y`, either way round,
    become matches by value, the latter with the value that the run's own event holds. Everything
    else stays, unchanged: other forms, escapes in strings, a second value for the same path, a
    key that `event` lacks, any text that isn't plainly a conjunction at its top level. In what is
    taken out, whole numbers compare exactly; in the rest, an int and a double compare as doubles.

    Args:
        text: a condition that compiles.
        event: the variable `event`.
    """
    match: dict[str, Json] = {}
    rest: list[str] = []
    for conjunct, path, operand in _plan(text):
        value = _value(operand, event) if path not in match else None
        if value is None or not is_comparable(value[0]):
            rest.append(conjunct)
        else:
            match[path] = value[0]
    return Split(match, " && ".join(rest) or None)


@lru_cache(maxsize=1024)
def _compile(text: str, variables: tuple[str, ...]) -> Condition:
    cel = _library()
    try:
        program = _environment(variables).compile(text)
    except (RuntimeError, TypeError, ValueError) as error:
        raise _bad(str(error)) from None
    given = program.return_type()
    if given not in (cel.Type.BOOL, cel.Type.DYN):
        raise _bad(f"<input>:1:1: it gives {given.name().lower()}, not true or false")
    return Condition(text, program, cel.Type.BOOL)


@lru_cache(maxsize=8)
def _environment(variables: tuple[str, ...]) -> Any:
    cel = _library()
    return cel.NewEnv(variables=dict.fromkeys(variables, cel.Type.DYN))


def _library() -> Any:
    # On first use: it maps 14 MB, and most processes never compile a condition.
    return import_module("cel_expr_python.cel")


def _bad(report: str) -> AssayError:
    found = _WHERE.search(report)
    where = f" at line {found['line']}, column {found['column']}" if found else ""
    what = found["what"] if found else report.splitlines()[0] if report else "unreadable"
    return AssayError(
        f"the condition is not valid{where}: {what}",
        code="bad_condition",
        field="if_",
        hint="write CEL over event.data and async.data, such as async.data.id == event.data.id",
    )


def _plain(value: Json, depth: int = MAX_DEPTH) -> Json:
    """A value that the runtime takes; what is nested too deeply becomes null.

    It refuses a whole event for one integer beyond 64 bits or one lone surrogate, cuts text at a
    null character, and overflows its stack on deep nesting.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else _as_double(value)
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value] if depth else None
    if isinstance(value, dict):
        return (
            {storable(key): _plain(item, depth - 1) for key, item in value.items()}
            if depth
            else None
        )
    return value


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@lru_cache(maxsize=1024)
def _plan(text: str) -> tuple[tuple[str, str, str], ...]:
    """Conjuncts with their path and operand, both empty for what is not an equality."""
    plan = []
    for conjunct in _conjuncts(text):
        found = next(filter(None, (form.fullmatch(conjunct) for form in _EQUALS)), None)
        path, operand = (_path(found["path"]), found["operand"]) if found else ("", "")
        plan.append((conjunct.strip(), path, operand))
    return tuple(plan)


def _conjuncts(text: str) -> list[str]:
    """The operands of `&&` if the top level is nothing else, otherwise the whole text."""
    parts, start, depth = [], 0, 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "unusual" or (kind == "other" and depth == 0):
            return [text]
        elif kind == "cut" and depth == 0:
            parts.append(text[start : token.start()])
            start = token.end()
    return [*parts, text[start:]]


def _path(selection: str) -> str:
    return path_of(name or quoted[1:-1] for name, quoted in _KEY.findall(selection))


def _value(operand: str, event: Mapping[str, Json]) -> tuple[Json] | None:
    """The value of an operand, in a tuple of one; None where it has none."""
    if operand.startswith("event.data"):
        return lookup(event.get("data"), _path(operand.removeprefix("event.data")))
    if operand in _WORDS:
        return (_WORDS[operand],)
    if operand.startswith(("'", '"')):
        return (operand[1:-1],)
    if operand:
        return (int(operand) if operand.lstrip("-").isdigit() else float(operand),)
    return None
