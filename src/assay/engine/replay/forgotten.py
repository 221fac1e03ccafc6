"""Tasks that a body began and never awaited: what they still waited for when it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.engine.replay import lines

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def told(task: asyncio.Task[object]) -> str:
    """What was cut short with such a task, and how to mend it."""
    operation = getattr(getattr(task, "_fut_waiter", None), "operation", None)
    if operation is None:
        what = f"a task at {lines.of_tasks([task])}"
    else:
        what = f"{operation.kind} {operation.name!r}"
    return f"{what} was never awaited, so the run ended before it: await its task"


def is_gathered_in_vain(task: asyncio.Task[object]) -> bool:
    """Whether nobody awaits what a task was gathered into, or shielded by, if it was."""
    return not any(
        wraps(watcher) and any(not _unshields(each) for each in _watchers(_outer_of(watcher)))
        for watcher in _watchers(task)
    )


def wraps(watcher: Callable[..., object]) -> bool:
    """Whether this watches a task for the future that `gather` or `shield` puts around it."""
    return "outer" in _names(watcher)


def _unshields(watcher: Callable[..., object]) -> bool:
    """Whether `shield` itself watches its future with this."""
    return "inner" in _names(watcher)


def _watchers(future: object) -> list[Callable[..., object]]:
    return [watcher for watcher, _ in getattr(future, "_callbacks", None) or ()]


def _outer_of(watcher: Callable[..., object]) -> object:
    cells = getattr(watcher, "__closure__", None) or ()
    return dict(zip(_names(watcher), cells, strict=True))["outer"].cell_contents


def _names(watcher: Callable[..., object]) -> tuple[str, ...]:
    code = getattr(watcher, "__code__", None)
    return () if code is None else code.co_freevars
