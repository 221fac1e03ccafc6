"""Runs one body against its journal: deterministic, without I/O, database or real time.

`AsyncReplay` replays coroutines on an event loop of their own, `SyncReplay` plain functions in
pooled threads of which one runs at a time. Either is begun, given each entry as it is committed,
and always unwound.
"""

from __future__ import annotations

from assay.engine.replay.coroutines import AsyncReplay
from assay.engine.replay.failures import describe
from assay.engine.replay.pool import SyncBodies
from assay.engine.replay.replay import Replay
from assay.engine.replay.threads import SyncReplay
from assay.engine.replay.turns import Asked, Finished, ReplayLimits, Turn
from assay.engine.replay.watch import Pump, pumping, stack_of

__all__ = [
    "Asked",
    "AsyncReplay",
    "Finished",
    "Pump",
    "Replay",
    "ReplayLimits",
    "SyncBodies",
    "SyncReplay",
    "Turn",
    "describe",
    "pumping",
    "stack_of",
]
