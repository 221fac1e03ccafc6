"""What a replay says after each pump, and the limits it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from contextvars import Context
    from uuid import UUID

    from assay.errors import Failure
    from assay.sdk.port import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayLimits:
    """How long a body may go on without coming to rest.

    Attributes:
        callbacks_per_pump: of the run's loop, until `body_never_settles`.
        callbacks_per_task: added to it for each task that is alive.
        seconds_per_pump: the same in time; for sync bodies, until their thread is given up.
        branches: threads that the branches of one sync body may hold at once.
    """

    callbacks_per_pump: int = 20_000
    callbacks_per_task: int = 20
    seconds_per_pump: float = 10.0
    branches: int = 1_000


DEFAULT_LIMITS = ReplayLimits()


@dataclass(frozen=True, slots=True)
class Asked:
    """A miss: something asked for that the journal does not hold.

    Attributes:
        key: `ids.step_key(operation.name, index)`.
        context: a copy of the asker's, for the step to run in.
    """

    key: UUID
    index: int
    operation: Operation
    context: Context


class Finished(NamedTuple):
    """How a body ended.

    Attributes:
        output: its exact JSON text; None where there is a failure.
        error: what it raised, for what a stored failure cannot hold.
    """

    output: str | None
    failure: Failure | None
    error: BaseException | None


class Turn(NamedTuple):
    """What is true after a pump has settled.

    Attributes:
        asks: new misses to start now, in order of asking; none before the journal is drained.
        cancelled: keys of asks that were, or in an earlier life may have been, handed out and
            whose asker went away since: their open waits are to be closed.
        finished: set where the body ended.
        waiting: keys of the asks handed out, unanswered and not cancelled; a live view.
    """

    asks: tuple[Asked, ...]
    cancelled: tuple[UUID, ...]
    finished: Finished | None
    waiting: AbstractSet[UUID]
