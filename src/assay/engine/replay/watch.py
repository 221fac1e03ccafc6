"""Which bodies hold a thread right now, for the heartbeat thread to name one that blocks it."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

_FRAMES = 12


class Pump(NamedTuple):
    """A body that runs.

    Attributes:
        thread: the ident of the thread that the body's code runs in.
        since: when it got it, on the replay's monotonic clock.
    """

    run_id: UUID
    thread: int
    since: float


_pumps: dict[int, tuple[UUID, int, float]] = {}


def started(run_id: UUID, thread: int, since: float) -> None:
    """Note that a body got the thread."""
    _pumps[thread] = (run_id, thread, since)


def ended(thread: int) -> None:
    """Note that the thread is free again."""
    _pumps.pop(thread, None)


def pumping() -> tuple[Pump, ...]:
    """The bodies that run at this moment; callable from any thread."""
    return tuple(map(Pump._make, _pumps.copy().values()))


def stack_of(pump: Pump) -> str:
    """Where that body's thread is: its innermost frames as text; empty if it has ended."""
    frame = sys._current_frames().get(pump.thread)  # noqa: SLF001 - the one way to look
    return "" if frame is None else "".join(traceback.format_stack(frame)[-_FRAMES:])
