"""Events: sending them (`POST /api/v1/events`, `POST /e/{key}`) and reading them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from assay.wire.base import Message, Request
from assay.wire.sessions import Session

SessionIds: TypeAlias = dict[str, object]
"""The author's layer: a string or number sets a key, null drops an inherited one."""


class EventIn(Request):
    """One event to send.

    Attributes:
        id: its ULID, minted by the sender before its first try; minted on arrival if left out.
        sessions: left out inherits.
        drop_sessions: drops all that it would inherit.
        key: a second event with the same key within 24 h starts and wakes nothing.
        ts: with a time zone; a future one delays the runs that it starts.
        force: variants by experiment, for trying out: such runs are left out of the analysis.
    """

    id: str | None = None
    name: str
    data: dict[str, object] = Field(default_factory=dict)
    sessions: SessionIds | None = None
    drop_sessions: bool = False
    key: str | None = None
    ts: datetime | None = None
    force: dict[str, str] | None = None


class SendRequest(Request):
    """The body of `POST /api/v1/events`."""

    events: list[EventIn]


class SendResponse(Message):
    """Ids of the events in their order, and of the runs that had started by then.

    Attributes:
        duplicates: those of the events whose key another one had within 24 h, with that one; they
            are kept, and started and woke nothing.
    """

    event_ids: list[str]
    run_ids: list[str]
    duplicates: dict[str, str] = Field(default_factory=dict)


class Event(Message):
    """A stored event.

    Attributes:
        received_at: when it was taken in.
        key: its idempotency key, if it has one.
        duplicate_of: the event that had its key within 24 h: this one started and woke nothing.
        source_run: the run that sent it, if one did.
        warnings: what was changed or refused when it was taken in.
    """

    id: str
    name: str
    data: dict[str, object]
    sessions: list[Session]
    ts: datetime
    received_at: datetime
    key: str | None = None
    duplicate_of: str | None = None
    source_run: str | None = None
    warnings: list[str] = Field(default_factory=list)


class EcosystemMeta(Message):
    """`meta` of an event at `/e/{key}`.

    Attributes:
        sessions: null drops all that would be inherited; left out or empty inherits.
    """

    sessions: SessionIds | None = None

    @property
    def drops_sessions(self) -> bool:
        """Whether `sessions` was written as null."""
        return "sessions" in self.model_fields_set and self.sessions is None


class EcosystemEvent(Message):
    """One event at `/e/{key}`.

    Attributes:
        id: the author's idempotency key for 24 h, no ULID.
        ts: milliseconds since 1970.
        v: the author's version; taken and not kept.
        user: taken and not kept.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str | None = None
    name: str
    data: dict[str, object] = Field(default_factory=dict)
    ts: Annotated[int, Field(strict=True)] | None = None
    v: str | None = None
    user: dict[str, object] | None = None
    meta: EcosystemMeta = EcosystemMeta()


EcosystemRequest: TypeAlias = EcosystemEvent | list[EcosystemEvent]
"""The body of `POST /e/{key}`: one event or an array of them."""


class EcosystemResponse(Message):
    """The answer of `POST /e/{key}`: ids in the order of the events."""

    ids: list[str]
    status: Literal[200] = 200
