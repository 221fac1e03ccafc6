"""Durable agent runs, scored now and later.

Everything that user code needs is a name of this module, loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.errors import (
        AssayError,
        NonRetriableError,
        Parked,
        RetryAfterError,
        StepError,
    )
    from assay.model.experiments import ExperimentRef
    from assay.sdk.client import Client
    from assay.sdk.contexts import (
        Context,
        ScorerContext,
        SyncContext,
        SyncScorerContext,
        current_step,
    )
    from assay.sdk.defers import Deferred
    from assay.sdk.events import DROP, Event, EventType
    from assay.sdk.experiments import Picked, bucket, custom, fixed, weighted
    from assay.sdk.functions import Function, Scorer
    from assay.sdk.plans import ExperimentPlan
    from assay.sdk.port import CurrentStep, ParentRun
    from assay.sdk.questions import Sent
    from assay.sdk.scores import Score
    from assay.sdk.triggers import on

__all__ = [
    "DROP",
    "AssayError",
    "Client",
    "Context",
    "CurrentStep",
    "Deferred",
    "Event",
    "EventType",
    "ExperimentPlan",
    "ExperimentRef",
    "Function",
    "NonRetriableError",
    "ParentRun",
    "Parked",
    "Picked",
    "RetryAfterError",
    "Score",
    "Scorer",
    "ScorerContext",
    "Sent",
    "StepError",
    "SyncContext",
    "SyncScorerContext",
    "bucket",
    "current_step",
    "custom",
    "fixed",
    "on",
    "weighted",
]

_ROOMS = {
    "assay.errors": ("AssayError", "NonRetriableError", "Parked", "RetryAfterError", "StepError"),
    "assay.model.experiments": ("ExperimentRef",),
    "assay.sdk.client": ("Client",),
    "assay.sdk.contexts": (
        "Context",
        "ScorerContext",
        "SyncContext",
        "SyncScorerContext",
        "current_step",
    ),
    "assay.sdk.defers": ("Deferred",),
    "assay.sdk.events": ("DROP", "Event", "EventType"),
    "assay.sdk.experiments": ("Picked", "bucket", "custom", "fixed", "weighted"),
    "assay.sdk.functions": ("Function", "Scorer"),
    "assay.sdk.plans": ("ExperimentPlan",),
    "assay.sdk.port": ("CurrentStep", "ParentRun"),
    "assay.sdk.questions": ("Sent",),
    "assay.sdk.scores": ("Score",),
    "assay.sdk.triggers": ("on",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        message = f"module 'assay' has no attribute {name!r}"
        raise AttributeError(message)
    value = globals()[name] = getattr(import_module(_ROOM_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
