"""Exact JSON text: what values are written as, so that reading gives back what was written."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# json.dumps makes an encoder anew for each call whose options are not the usual ones.
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
load = json.JSONDecoder().decode
"""The value that JSON text stands for; ValueError where it is none."""

_SCALARS = frozenset({str, int, bool, type(None)})


class NotJsonError(ValueError):
    """A value that JSON would not give back equal and of the same type.

    Attributes:
        path: where in the value it stands, from `$`.
        reason: what stands there, such as `a tuple`.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{reason} at {path}")
        self.path = path
        self.reason = reason


def dump(value: object) -> str:
    """JSON text that `json.loads` gives back as an equal value of the same types.

    Keeps null characters, lone surrogates and the order of keys, and holds only what UTF-8 can.

    Raises:
        NotJsonError: tuples, sets, keys that are not text, subclasses, NaN, Infinity and others.
    """
    try:
        fault = _fault(value)
        if fault is None:
            return _text(value)
    except RecursionError:
        fault = ("", "a value nested too deeply, or one that holds itself,")
    except ValueError as error:
        fault = ("", str(error))
    raise NotJsonError("$" + fault[0], fault[1])


def _text(value: object) -> str:
    text = _COMPACT.encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _ASCII.encode(value)
    return text


def _fault(value: object) -> tuple[str, str] | None:
    """The path and kind of the first thing that JSON can't hold exactly."""
    kind = type(value)
    if kind in _SCALARS:
        return None
    if isinstance(value, float) and kind is float:
        return None if math.isfinite(value) else ("", str(value))
    if isinstance(value, list) and kind is list:
        return _fault_in_list(value)
    if isinstance(value, dict) and kind is dict:
        return _fault_in_dict(value)
    return "", f"a {kind.__qualname__}"


def _fault_in_list(items: Sequence[object]) -> tuple[str, str] | None:
    for place, item in enumerate(items):
        fault = _fault(item)
        if fault is not None:
            return f"[{place}]{fault[0]}", fault[1]
    return None


def _fault_in_dict(items: Mapping[object, object]) -> tuple[str, str] | None:
    for key, item in items.items():
        if type(key) is not str:
            return "", f"the key {key!r}, which is not a str,"
        fault = _fault(item)
        if fault is not None:
            return f".{key}{fault[0]}", fault[1]
    return None
