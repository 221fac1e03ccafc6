r"""Which events start or wake what: values by hash, trigger patterns by name. Pure, no I/O.

A *path* names a value inside an event's `data`: keys joined by dots (`ticketId`, `user.id`). In a
key, a dot is written `\.` and a backslash `\\`. Paths go through objects only, never lists.
A *shape* is the sorted tuple of the paths that a wait matches on. A wait is found by the hash of
(event name, shape, values), in which values compare as JSON does: 1 = 1.0 = 1e0, 1 ≠ "1",
true ≠ 1, objects without order, whole numbers exact however large.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assay.model.events import Json

Shape: TypeAlias = tuple[str, ...]
"""Sorted paths under `data`, each once."""

MAX_DEPTH = 100
"""Levels of nesting beyond which a value matches nothing."""

_MAX_PATTERN_BYTES = 255


class _NotComparableError(ValueError):
    """The value is not JSON, or is nested too deeply."""


def path_of(keys: Iterable[str]) -> str:
    """The path of these keys, from the outermost in."""
    return ".".join(key.replace("\\", "\\\\").replace(".", "\\.") for key in keys)


@lru_cache(maxsize=4096)
def keys_of(path: str) -> tuple[str, ...]:
    """The keys of a path, `path_of` reversed; `bad_match` for a stray backslash."""
    keys = [""]
    characters = iter(path)
    for character in characters:
        if character == ".":
            keys.append("")
        elif character != "\\":
            keys[-1] += character
        elif (escaped := next(characters, "")) in (".", "\\"):
            keys[-1] += escaped
        else:
            raise _stray_backslash(path)
    return tuple(keys)


def lookup(data: Json, path: str) -> tuple[Json] | None:
    """The value at a path, in a tuple of one because it may be null; None where it is missing."""
    value = data
    for key in keys_of(path):
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return (value,)


def shape_of(match: Iterable[str]) -> Shape:
    """The shape of a `match` mapping or of any paths; `bad_match` for a path that is not one."""
    shape = tuple(sorted(set(match)))
    for path in shape:
        keys_of(path)
    return shape


def shape_id(paths: Iterable[str]) -> int:
    """A signed 64-bit number that stands for a set of paths, the same in every process."""
    return _digest(["shape", *sorted(set(paths))])


def value_hash(event_name: str, paths: Sequence[str], values: Sequence[Json]) -> int:
    """The signed 64-bit hash by which an event finds the waits that ask for these values.

    Args:
        event_name: exact.
        paths: each once, in any order.
        values: as many, in the order of `paths`.

    Raises:
        AssayError: `bad_match` for a value that JSON can't hold.
    """
    try:
        return _hash(event_name, dict(zip(paths, values, strict=True)))
    except _NotComparableError as error:
        raise AssayError(
            f"a value of match is {error}",
            code="bad_match",
            field="match",
            hint="match on strings, finite numbers, booleans, None, or lists and dicts of them",
        ) from None


def hash_event(event_name: str, data: Json, paths: Iterable[str]) -> int | None:
    """`value_hash` of what an event's data holds at these paths; None where one is missing."""
    values: dict[str, Json] = {}
    for path in paths:
        found = lookup(data, path)
        if found is None:
            return None
        values[path] = found[0]
    try:
        return _hash(event_name, values)
    except _NotComparableError:
        return None


def is_comparable(value: Json) -> bool:
    """Whether a value can be matched on by hash."""
    try:
        canonical(value)
    except _NotComparableError:
        return False
    return True


def canonical(value: Json, depth: int = MAX_DEPTH) -> Json:
    """The one form that all values equal as JSON share; a ValueError for what isn't JSON.

    Numbers are those of their JSON text: the float 1e23 is the integer 10**23, as it is once it
    has been stored. Text is what PostgreSQL's jsonb would hold of it, see `storable`.
    """
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _NotComparableError(f"not a number of JSON: {value}")
        return int(Decimal(repr(value))) if value.is_integer() else value
    if depth == 0:
        raise _NotComparableError(f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, list):
        return [canonical(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {storable(key): canonical(item, depth - 1) for key, item in value.items()}
    raise _NotComparableError(f"a {type(value).__name__}, which JSON can't hold")


def storable(text: str) -> str:
    """Text as jsonb holds it: U+FFFD for the null character and for lone surrogates."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


def storable_json(value: Json) -> Json:
    """A value with all its text, keys too, as jsonb holds it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    return value


@lru_cache(maxsize=1024)
def patterns_of(event_name: str) -> tuple[str, ...]:
    """Every trigger pattern that matches an event name, the exact name first."""
    prefixes = [
        event_name[: place + 1] + "*"
        for place, character in enumerate(event_name)
        if character in "/."
    ]
    return tuple(dict.fromkeys([event_name, *reversed(prefixes), "*"]))


def matches(pattern: str, event_name: str) -> bool:
    """Whether a trigger pattern matches an event name."""
    if pattern in (event_name, "*"):
        return True
    return pattern.endswith(("/*", ".*")) and event_name.startswith(pattern[:-1])


def check_pattern(pattern: str) -> str:
    """The pattern itself; `bad_trigger` unless it is a name, `*`, or a prefix with `/*` or `.*`."""
    wrong = None
    if not pattern.strip():
        wrong = "is empty"
    elif len(pattern.encode("utf-8", "surrogatepass")) > _MAX_PATTERN_BYTES:
        wrong = f"is longer than {_MAX_PATTERN_BYTES} bytes"
    elif "*" in pattern[:-1] or not matches(pattern, pattern.removesuffix("*")):
        wrong = "has a * that is not at its end, right after / or ."
    if wrong:
        raise AssayError(
            f"the trigger {pattern!r} {wrong}",
            code="bad_trigger",
            field="on",
            hint='write an event name, or "app/*", "app/user.*", "*"',
        )
    return pattern


def _hash(event_name: str, values: Mapping[str, Json]) -> int:
    return _digest([storable(event_name), {path: canonical(v) for path, v in values.items()}])


def _digest(value: Json) -> int:
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except ValueError:
        # CPython refuses to print integers of more than 4,300 digits, as it refuses to read them.
        raise _NotComparableError("a number of more than 4,300 digits") from None
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _stray_backslash(path: str) -> AssayError:
    return AssayError(
        f"{path!r} is not a path: a backslash stands before a dot or a backslash only",
        code="bad_match",
        field="match",
        hint=r'write "user.id" for nested keys, r"a\.b" for the key "a.b"',
    )
