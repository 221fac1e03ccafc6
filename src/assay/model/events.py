"""An event: a named JSON fact that starts or wakes runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A value that JSON can hold."""

Sessions: TypeAlias = "dict[str, str]"
"""Session keys and ids after folding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event on its way in, parsed and folded.

    Attributes:
        id: minted by the sender before its first try.
        data: the JSON text of an object.
        sessions: after folding.
        ts: the author's instant; a future one delays the runs that it starts.
        key: idempotency key for 24 h, if any.
        source_run: the run that sent it, if one did.
        force: variants by experiment that its runs are given, for trying out.
    """

    id: UUID
    name: str
    data: str
    ts: datetime
    sessions: Sessions = field(default_factory=dict)
    key: str | None = None
    source_run: UUID | None = None
    force: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A stored event, as runs and waits see it."""

    id: UUID
    name: str
    data: str
    ts: datetime
    sessions: Sessions = field(default_factory=dict)
