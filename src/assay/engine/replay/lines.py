"""Where a task waits, as a line that its author knows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

_NOT_THE_AUTHORS = (str(Path(asyncio.__file__).parent), str(Path(__file__).parents[2]))
_NAMED = 10


def of_tasks(tasks: Iterable[asyncio.Task[object]]) -> str:
    """The lines that tasks wait at, the first ten."""
    lines = [of_coroutine(task.get_coro()) for task in tasks]
    more = [f"{len(lines) - _NAMED} more"] if len(lines) > _NAMED else []
    return ", ".join(lines[:_NAMED] + more)


def of_coroutine(coroutine: object) -> str:
    """The innermost line of the author's own code in a suspended coroutine."""
    found: FrameType | None = None
    awaited: object = coroutine
    while awaited is not None:
        frame: FrameType | None = getattr(awaited, "cr_frame", None) or getattr(
            awaited, "ag_frame", None
        )
        if frame and (found is None or not frame.f_code.co_filename.startswith(_NOT_THE_AUTHORS)):
            found = frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    if found is None:
        return getattr(coroutine, "__qualname__", type(coroutine).__name__)
    code = found.f_code
    return f"{code.co_filename}:{found.f_lineno} in {code.co_qualname}"
