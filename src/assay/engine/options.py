"""How a worker works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assay.model.experiments import Plan


def _ignore() -> None:
    """Leave it at what the log says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works; seconds where it says `_s`.

    Attributes:
        concurrency: runs that are live at once; parked ones don't count.
        threads: for steps that are plain functions.
        pause_s: between claims while there is work.
        idle_s: the longest pause between looks without a hint.
        source: which files the functions are from.
        author: who answers for changes of experiments.
        plans: of the code's experiments, by id.
        grace_s: how long steps in flight may go on when the worker is stopped.
        on_broken: called when a part of it has ended that never should: it is of no use any more.
    """

    source: str = ""
    author: str | None = None
    plans: Mapping[str, Plan] = field(default_factory=dict)
    lease_s: float = 10.0
    heartbeat_s: float = 3.0
    concurrency: int = 400
    threads: int = 64
    pause_s: float = 0.005
    idle_s: float = 1.0
    grace_s: float = 10.0
    max_steps: int = 1_000
    max_promises: int = 20
    max_output_bytes: int = 4 * 1024 * 1024
    on_broken: Callable[[], None] = _ignore
