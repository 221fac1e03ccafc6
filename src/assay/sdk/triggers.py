"""What starts a function: names of events, patterns of names, conditions, types of data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from assay.errors import AssayError
from assay.model import event_rules
from assay.sdk.events import EventType

if TYPE_CHECKING:
    from assay.model.events import Json
    from assay.sdk.values import Codec

MAX_TRIGGERS = 10
MAX_PATTERN_BYTES = 255


@dataclass(frozen=True, slots=True)
class Trigger:
    """One way to start a function.

    Attributes:
        event: a name, a prefix with `/*` or `.*`, or `*`.
        condition: CEL over `event`, if there is one.
        codec: of the data that it asks for.
    """

    event: str
    condition: str | None
    codec: Codec

    def validate(self, data: str) -> str | None:
        """What is wrong with an event's data, given as JSON text; None where it fits."""
        return self.codec.problem(data)

    def describe(self) -> dict[str, Json]:
        """The trigger as it is registered: `event`, and `condition` and `schema` if it has them."""
        described: dict[str, Json] = {"event": self.event}
        if self.condition is not None:
            described["condition"] = self.condition
        schema = self.codec.json_schema()
        if schema is not None:
            described["schema"] = json.loads(schema)
        return described


@dataclass(frozen=True, slots=True)
class On:
    """A trigger as users write it; `on` makes it."""

    event: str | EventType[Any]
    condition: str | None = None


TriggerInput: TypeAlias = "str | EventType[Any] | On | Sequence[str | EventType[Any] | On]"


def on(event: str | EventType[Any], *, if_: str | None = None) -> On:
    """A trigger with a condition: `on=assay.on("order/paid", if_="event.data.total > 100")`.

    Args:
        event: a name, a pattern such as `order/*`, or an EventType.
        if_: CEL over `event`; the event starts the function where it holds.
    """
    return On(event, event_rules.check_condition(if_))


def triggers(on: TriggerInput, body: Codec) -> tuple[Trigger, ...]:
    """The triggers of a function, checked; `bad_trigger` for what can't be one.

    Args:
        on: as written.
        body: the codec of the data that the body asks for, used where a trigger has no type.
    """
    several = [on] if isinstance(on, str | EventType | On) else on
    if not isinstance(several, Sequence):
        raise _refusal(f"on= can't be a {type(several).__name__}")
    found = tuple(_trigger(one, body) for one in several)
    if not 1 <= len(found) <= MAX_TRIGGERS:
        raise _refusal(f"a function has 1 to {MAX_TRIGGERS} triggers (got {len(found)})")
    written = [(trigger.event, trigger.condition) for trigger in found]
    for place, pair in enumerate(written):
        if pair in written[:place]:
            raise _refusal(f"the trigger {pair[0]!r} is there twice")
    return found


def check_pattern(pattern: object) -> str:
    """The pattern itself; `bad_trigger` unless it is a name, `*`, or a prefix with `/*` or `.*`."""
    if not isinstance(pattern, str) or not pattern.strip():
        raise _refusal(f"the trigger {pattern!r} is no name")
    size = len(pattern.encode("utf-8", "surrogatepass"))
    if size > MAX_PATTERN_BYTES:
        raise _refusal(f"a trigger must be {MAX_PATTERN_BYTES} bytes or fewer (got {size})")
    place = pattern.find("*")
    is_last = place in (-1, len(pattern) - 1)
    if not is_last or (place > 0 and pattern[place - 1] not in "/."):
        raise _refusal(f"the trigger {pattern!r} has a * that is not at its end, after / or .")
    return pattern


def _trigger(one: object, body: Codec) -> Trigger:
    given = one if isinstance(one, On) else On(one)  # type: ignore[arg-type]  # checked below
    if isinstance(given.event, EventType):
        return Trigger(given.event.name, given.condition, given.event.codec)
    return Trigger(check_pattern(given.event), given.condition, body)


def _refusal(message: str) -> AssayError:
    return AssayError(
        message,
        code="bad_trigger",
        field="on",
        hint='write "app/thing.happened", "app/*", assay.on(name, if_="..."), or a list of them',
    )
