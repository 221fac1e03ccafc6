"""Events as requests carry them, in Assay's form and in the ecosystem's, made into new events."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from assay.errors import AssayError
from assay.ids import parse
from assay.model.event_rules import check_data, check_key, check_name, check_ts
from assay.model.events import NewEvent
from assay.model.experiment_rules import check_force
from assay.model.id_rules import check_minted
from assay.model.session_rules import fold
from assay.wire import events as wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.ids import Ids
    from assay.model.events import Json
    from assay.settings import Limits

_SEED_BYTES = 10
_COUNTED = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where events are received: what they are measured against, and new ids."""

    limits: Limits
    now: datetime
    ids: Ids

    def receive(
        self, raw: Json, make: Callable[[Desk, dict[str, Json], int], NewEvent]
    ) -> list[NewEvent]:
        """All of a request's events, or an AssayError that names the one that is wrong."""
        if not isinstance(raw, list):
            raise _refusal("events", "must be a list")
        if len(raw) > self.limits.request_events:
            raise AssayError(
                f"a request may hold {self.limits.request_events} events at most (got {len(raw)})",
                code="too_many_events",
                field="events",
                hint="send them in several requests",
            )
        return [self._receive_one(item, index, make) for index, item in enumerate(raw)]

    def _receive_one(
        self, item: Json, index: int, make: Callable[[Desk, dict[str, Json], int], NewEvent]
    ) -> NewEvent:
        try:
            if not isinstance(item, dict):
                raise _refusal(None, "must be an object with a name and data")
            return make(self, item, index)
        except AssayError as error:
            field = f"events[{index}]" + (f".{error.field}" if error.field else "")
            raise AssayError(
                f"events[{index}]: {error.message}; none of this request's events was taken",
                code=error.code,
                field=field,
                hint=error.hint,
            ) from error


def event(desk: Desk, item: dict[str, Json], _: int) -> NewEvent:
    """An event in Assay's form: name, data, sessions, id (a ULID), key, ts (ISO 8601)."""
    unknown = item.keys() - wire.EventIn.model_fields.keys()
    if unknown:
        raise _refusal(min(unknown), "is not a field of an event")
    id_, key, ts, force = item.get("id"), item.get("key"), item.get("ts"), item.get("force")
    return NewEvent(
        id=desk.ids.new() if id_ is None else _id(id_, desk.now),
        name=check_name(item.get("name")),
        data=check_data(item.get("data", {}), max_bytes=desk.limits.event_bytes),
        sessions=fold(item.get("sessions"), max_pairs=desk.limits.event_sessions),
        key=None if key is None else check_key(key),
        ts=desk.now if ts is None else check_ts(_iso(ts)),
        force=None if force is None else check_force(force),
    )


def ecosystem_event(
    seed: tuple[int, bytes] | None,
) -> Callable[[Desk, dict[str, Json], int], NewEvent]:
    """Makes events in the ecosystem's form: name, data, id (an idempotency key), ts (ms), meta."""

    def make(desk: Desk, item: dict[str, Json], index: int) -> NewEvent:
        data = item.get("data")
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if name != "_inngest"}
        meta = {} if item.get("meta") is None else item["meta"]
        if not isinstance(meta, dict):
            raise _refusal("meta", "must be an object")
        propagated = meta.get("propagated_sessions")
        key, ts = item.get("id") or None, item.get("ts") or None
        return NewEvent(
            id=desk.ids.new() if seed is None else _seeded(seed, index),
            name=check_name(item.get("name")),
            data=check_data({} if data is None else data, max_bytes=desk.limits.event_bytes),
            sessions=fold(
                meta.get("sessions"),
                None if propagated is None else fold(_propagated(propagated)),
                drops_all="sessions" in meta and meta["sessions"] is None,
                max_pairs=desk.limits.event_sessions,
            ),
            key=None if key is None else check_key(key),
            ts=desk.now if ts is None else _from_ms(ts),
        )

    return make


def seed_of(header: str | None, *, now: datetime) -> tuple[int, bytes] | None:
    """The seed of ids in a header `<milliseconds>,<base64 of 10 bytes>`.

    One that can't be used is as good as none: the events count more than their ids.
    """
    if header is None:
        return None
    milliseconds, _, entropy = header.partition(",")
    try:
        seed = int(milliseconds), base64.b64decode(entropy, validate=True)
        if len(seed[1]) != _SEED_BYTES:
            return None
        check_minted(_seeded(seed, 0), now=now)
    except (ValueError, AssayError):
        return None
    return seed


def _seeded(seed: tuple[int, bytes], index: int) -> UUID:
    """The id of the index-th event: the seed with the index added to its last four bytes."""
    milliseconds, entropy = seed
    counted = (int.from_bytes(entropy[6:]) + index) % _COUNTED
    return UUID(int=milliseconds << 80 | int.from_bytes(entropy[:6]) << 32 | counted)


def _id(id_: Json, now: datetime) -> UUID:
    if not isinstance(id_, str):
        raise _refusal("id", "must be a ULID")
    return check_minted(parse(id_), now=now)


def _iso(ts: Json) -> datetime:
    try:
        return datetime.fromisoformat(ts if isinstance(ts, str) else "")
    except ValueError:
        raise _refusal("ts", "must be an instant such as 2026-01-31T12:00:00Z") from None


def _from_ms(ts: Json) -> datetime:
    if isinstance(ts, bool) or not isinstance(ts, int):
        raise _refusal("ts", "must be whole milliseconds since 1970")
    try:
        return check_ts(datetime.fromtimestamp(ts / 1000, UTC))
    except (OverflowError, OSError, ValueError):
        raise _refusal("ts", "must lie between 1980 and 2100") from None


def _propagated(layer: Json) -> Json:
    if isinstance(layer, dict) and None in layer.values():
        raise _refusal("meta.propagated_sessions", "must not hold null")
    return layer


def _refusal(field: str | None, wrong: str) -> AssayError:
    return AssayError(f"{field or 'an event'} {wrong}", code="event_shape", field=field)


def ids_of(events: Sequence[NewEvent]) -> list[UUID]:
    """The ids of events, in order."""
    return [one.id for one in events]
