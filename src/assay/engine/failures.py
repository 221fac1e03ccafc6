"""Failures as JSON text, which is how tables hold them."""

from __future__ import annotations

import json
from typing import Any

from assay.errors import Failure


def to_json(failure: Failure) -> str:
    """The stored form of a failure."""
    return json.dumps(
        {
            "type": failure.type,
            "message": failure.message,
            "bases": failure.bases,
            "data": failure.data,
            "traceback": failure.traceback,
            "code": failure.code,
            "retriable": failure.retriable,
        }
    )


def from_json(text: str) -> Failure:
    """A failure from its stored form."""
    stored: dict[str, Any] = json.loads(text)
    return Failure(
        type=stored["type"],
        message=stored["message"],
        bases=tuple(stored.get("bases", ())),
        data=stored.get("data"),
        traceback=stored.get("traceback", ""),
        code=stored.get("code"),
        retriable=stored.get("retriable", True),
    )


def coded(code: str, message: str, *, name: str = "AssayError", retriable: bool = False) -> Failure:
    """A failure that the engine itself brings about."""
    return Failure(
        type=name,
        message=message,
        bases=tuple(dict.fromkeys((name, "AssayError", "Exception", "BaseException", "object"))),
        code=code,
        retriable=retriable,
    )


def check_size(code: str, output: str, limit: int) -> Failure | None:
    """A failure where an output is larger than that many bytes."""
    size = len(output) if output.isascii() else len(output.encode("utf-8", "surrogatepass"))
    if size <= limit:
        return None
    return coded(
        code,
        f"the output has {size} bytes, {limit} are allowed; store it elsewhere and return where "
        "it is",
    )
