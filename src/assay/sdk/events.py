"""Events as user code writes and receives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, overload

from typing_extensions import TypeVar, override

from assay import ids
from assay.errors import AssayError
from assay.model import event_rules, experiment_rules, session_rules
from assay.sdk.port import EventDraft
from assay.sdk.values import Codec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

D = TypeVar("D", default=dict[str, Any])
"""The type of an event's data; a dict where nothing else is said."""

D_co = TypeVar("D_co", default=dict[str, Any], covariant=True)
"""The same where it is only read."""


class Drop(Enum):
    """The type of `DROP`."""

    DROP = "drop"

    @override
    def __repr__(self) -> str:
        return "assay.DROP"


DROP: Final = Drop.DROP
"""As `sessions=` it drops all sessions that an event would inherit, as an id only that key's."""

SessionLayer: TypeAlias = "Mapping[str, str | int | float | Literal[Drop.DROP] | None]"
"""Sessions as an author writes them: an id sets a key, DROP (or None) drops an inherited one."""


class Event(Generic[D_co]):
    """A named JSON fact that starts or wakes runs.

    Args:
        name: such as `support/ticket.created`.
        data: a dict of what JSON can hold, or an instance of a pydantic model or dataclass.
        sessions: pairs that group runs; None inherits those of the sending run, DROP drops them.
        key: a second event with the same key within 24 h starts and wakes nothing.
        id: its ULID; empty until it is sent, where it is not given.
        ts: an aware instant; one in the future delays the runs that it starts.
        force: variants by experiment, for trying out: such runs are left out of the analysis.

    Raises:
        AssayError: `event_name`, `event_key`, `event_ts`, `event_force`, `sessions_invalid`,
            `bad_id`.
    """

    __slots__ = ("codec", "data", "drops_sessions", "force", "id", "key", "name", "sessions", "ts")

    @overload
    def __init__(
        self: Event[dict[str, Any]],
        name: str,
        data: dict[str, Any],
        *,
        sessions: SessionLayer | Literal[Drop.DROP] | None = None,
        key: str | None = None,
        id: str | None = None,
        ts: datetime | None = None,
        force: Mapping[str, str] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        data: D_co,
        *,
        sessions: SessionLayer | Literal[Drop.DROP] | None = None,
        key: str | None = None,
        id: str | None = None,
        ts: datetime | None = None,
        force: Mapping[str, str] | None = None,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        data: Any,
        *,
        sessions: SessionLayer | Literal[Drop.DROP] | None = None,
        key: str | None = None,
        id: str | None = None,
        ts: datetime | None = None,
        force: Mapping[str, str] | None = None,
    ) -> None:
        self.name = event_rules.check_name(name)
        self.data: D_co = data
        self.drops_sessions = sessions is DROP
        self.sessions = author_layer(sessions)
        self.key = None if key is None else event_rules.check_key(key)
        self.id = "" if id is None else ids.to_text(ids.parse(id, field="event id"))
        self.ts = None if ts is None else event_rules.check_ts(ts)
        self.force = None if force is None else experiment_rules.check_force(force)
        self.codec: Codec | None = None

    @override
    def __repr__(self) -> str:
        return f"Event({self.name!r}, {self.data!r})"


class EventType(Generic[D]):
    """An event's name with the type of its data; calling it makes the event.

    Args:
        name: of the events.
        data: a pydantic model, dataclass, TypedDict or other type whose JSON is an object.
    """

    def __init__(self, name: str, data: type[D]) -> None:
        self.name = event_rules.check_name(name)
        self.codec = Codec(data, is_asked_for=True)

    def __call__(
        self,
        data: D,
        *,
        sessions: SessionLayer | Literal[Drop.DROP] | None = None,
        key: str | None = None,
        id: str | None = None,
        ts: datetime | None = None,
        force: Mapping[str, str] | None = None,
    ) -> Event[D]:
        """Make an event of this type; the arguments are those of `Event`.

        Raises:
            AssayError: `event_data` where the data does not fit, and those of `Event`.
        """
        made = Event(self.name, data, sessions=sessions, key=key, id=id, ts=ts, force=force)
        made.codec = self.codec
        data_text(data, self.codec)
        return made

    @override
    def __repr__(self) -> str:
        return f"EventType({self.name!r})"


def author_layer(sessions: object) -> dict[str, Any]:
    """The author's layer with None for what is dropped; `sessions_invalid` for what none may be."""
    if sessions is None or sessions is DROP:
        return {}
    if isinstance(sessions, Mapping):
        sessions = {key: None if value is DROP else value for key, value in sessions.items()}
    session_rules.check_layer(sessions)
    return dict(sessions) if isinstance(sessions, Mapping) else {}


def draft(event: Event[Any], *, new_id: UUID | None = None) -> EventDraft:
    """An event on its way out.

    Args:
        event: as its author wrote it.
        new_id: its id where the author gave none; None leaves minting to the receiver.

    Raises:
        AssayError: `event_data`.
    """
    if not isinstance(event, Event):
        raise AssayError(
            f"only events can be sent, not {type(event).__name__}",
            code="event_type",
            hint='write assay.Event("app/thing.happened", {...})',
        )
    return EventDraft(
        name=event.name,
        data=data_text(event.data, event.codec),
        sessions=event.sessions or None,
        drops_sessions=event.drops_sessions,
        id=ids.parse(event.id) if event.id else new_id,
        key=event.key,
        ts=event.ts,
        force=event.force,
    )


def drafts(events: Event[Any] | Sequence[Event[Any]]) -> list[EventDraft]:
    """One event or several on their way out, ids left as they are."""
    if isinstance(events, Event):
        return [draft(events)]
    return [draft(event) for event in events]


def data_text(data: object, codec: Codec | None = None) -> str:
    """Exact JSON text of event data, written by *codec* or by the type of the data itself."""
    if codec is None or codec.is_plain:
        if isinstance(data, dict):
            return event_rules.check_data(data)
        codec = Codec(type(data), is_asked_for=True)
    try:
        text = codec.check(data)
    except ValueError as error:
        raise AssayError(
            f"event data does not fit its type: {error}", code="event_data", field="data"
        ) from error
    if not text.startswith("{"):
        event_rules.check_data(json.loads(text))
    return text


def received(
    *,
    id: str,
    name: str,
    data: D,
    ts: datetime,
    sessions: Mapping[str, str],
) -> Event[D]:
    """An event as a run sees it; its name may be one that users cannot send."""
    event: Event[D] = Event.__new__(Event)
    event.id = id
    event.name = name
    event.data = data
    event.ts = ts
    event.sessions = dict(sessions)
    event.drops_sessions = False
    event.key = None
    event.force = None
    event.codec = None
    return event


def read_event(text: str, codec: Codec) -> Event[Any] | None:
    """The event that a wait's memo holds; None where it timed out.

    Raises:
        ValueError: its data does not fit.
    """
    memo = json.loads(text)
    if memo is None:
        return None
    data = memo["data"] if codec.is_plain else codec.load(json.dumps(memo["data"]))
    return received(
        id=memo["id"],
        name=memo["name"],
        data=data,
        ts=datetime.fromisoformat(memo["ts"]),
        sessions=memo.get("sessions") or {},
    )
