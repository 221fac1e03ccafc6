"""Raised errors as they are stored, and the failures that a replay itself finds."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.errors import AssayError, Failure, StepError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRACEBACK_LENGTH = 16_000
_MESSAGE_LENGTH = 16_000
_NAMED_LEAVES = 5
_OTHER_LOOP = ("attached to a different loop", "bound to a different event loop")
_OTHER_LOOP_HINT = (
    "a body waits only on ctx and on asyncio objects made in that body; put the rest in a step"
)


def describe(error: BaseException) -> Failure:
    """The stored form of what user code raised."""
    leaves = list(_leaves(error))
    coded = [leaf for leaf in leaves if isinstance(leaf, AssayError)]
    failure = Failure(
        type=type(error).__name__,
        bases=tuple(base.__name__ for base in type(error).__mro__ if base is not object),
        message=_message(error, leaves),
        data=_data(error),
        traceback=_traceback(error),
        code=coded[0].code if coded else None,
        retriable=all(map(_is_retriable, leaves)),
    )
    if any(isinstance(leaf, RuntimeError) and _is_of_other_loop(leaf) for leaf in leaves):
        message = f"{failure.message} ({_OTHER_LOOP_HINT})"
        return replace(failure, message=message, code="body_io", retriable=False)
    return failure


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _leaves(member)
    else:
        yield error


def _is_retriable(error: BaseException) -> bool:
    if isinstance(error, StepError):
        return False
    return error.is_retriable if isinstance(error, AssayError) else True


def _is_of_other_loop(error: RuntimeError) -> bool:
    text = _text(error)
    return any(sign in text for sign in _OTHER_LOOP)


def _message(error: BaseException, leaves: list[BaseException]) -> str:
    if not isinstance(error, BaseExceptionGroup):
        return _text(error)
    named = [f"{type(leaf).__name__}: {_text(leaf)}" for leaf in leaves[:_NAMED_LEAVES]]
    return f"{_text(error)}: {'; '.join(named)}"


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the error itself
        return "(its text could not be read)"
    # An error may hold a whole answer of a model; lists of runs show every message.
    left = len(text) - _MESSAGE_LENGTH
    return text if left <= 0 else f"{text[:_MESSAGE_LENGTH]}... ({left} more characters)"


def _data(error: BaseException) -> str | None:
    try:
        data = getattr(error, "data", None)
        return None if data is None else json.dumps(data, allow_nan=False)
    except Exception:  # noqa: BLE001 - properties of user classes can raise anything
        return None


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))[-_TRACEBACK_LENGTH:]
    except Exception:  # noqa: BLE001 - as for its text
        return ""
