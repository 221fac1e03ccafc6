"""Events: the log, one event with what it started or woke, and sending one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard import filters
from assay.dashboard.copying import Copied, copied
from assay.dashboard.page import Action, Page
from assay.errors import AssayError
from assay.ids import parse, to_text
from assay.store import activity, event_log, function_list
from assay.store.copies import events as copies
from assay.wire.events import Event, SendResponse
from assay.wire.runs import EventDetail

if TYPE_CHECKING:
    from uuid import UUID

    from assay.dashboard.asking import Ask
    from assay.dashboard.forms import Form
    from assay.store.activity import EventCount
    from assay.store.pages import Reading

PREVIEW = 160
FUNCTIONS_OFFERED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event with the beginning of its data, and how much came of it."""

    event: Event
    preview: str
    started: int
    woken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsView:
    """A page of events.

    Attributes:
        names: of recent events, for the filter.
    """

    rows: list[EventRow]
    next: str | None
    names: list[EventCount]
    copied: Copied
    is_filtered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event."""

    event: EventDetail
    copied: Copied


@dataclass(frozen=True, slots=True, kw_only=True)
class SendView:
    """The form that sends an event.

    Attributes:
        names: that functions start on, without wildcards.
    """

    names: list[str]
    name: str
    data: str
    sessions: str


async def events(ask: Ask) -> EventsView:
    """The events that fit the query, the newest first."""
    found = await ask.items(Event, data=False)
    ids = [parse(one.id) for one in found.items]

    async def read(
        reading: Reading,
    ) -> tuple[dict[UUID, str], dict[UUID, tuple[int, int]], list[EventCount]]:
        project = ask.project
        return (
            await event_log.previews(reading, project=project, events=ids, most=PREVIEW),
            await event_log.consequences(reading, project=project, events=ids),
            await activity.events(reading, project=project, since=ask.now - activity.RECENT),
        )

    previews, came, names = await ask.read(read)
    asked, after = filters.events(ask).model_dump(), ask.query.get("cursor")
    sql = copies.of_filter(ask.project, **asked, after=after)
    return EventsView(
        rows=[
            EventRow(
                event=one, preview=previews.get(id_, ""), started=came[id_][0], woken=came[id_][1]
            )
            for one, id_ in zip(found.items, ids, strict=True)
        ],
        next=found.next,
        names=names,
        copied=copied(ask, sql, is_from_here=True),
        is_filtered=bool(ask.api_query()),
    )


async def event(ask: Ask) -> EventView:
    """An event with the runs that it started and those that it woke."""
    found = await ask.record(EventDetail)
    return EventView(event=found, copied=copied(ask, copies.one(ask.project, parse(found.id))))


async def sending(ask: Ask) -> SendView:
    """The form, filled in with what the query says, or as an event (`again`) was."""
    filled = dict(ask.query)
    if "again" in filled:
        before = await ask.api.get(EventDetail, f"events/{to_text(parse(filled['again']))}")
        filled = {
            "name": before.name,
            "data": json.dumps(before.data, ensure_ascii=False, indent=2),
            "sessions": "\n".join(f"{pair.key}={pair.id}" for pair in before.sessions),
            **filled,
        }
    known = await ask.read(
        lambda reading: function_list.page(reading, project=ask.project, limit=FUNCTIONS_OFFERED)
    )
    names: set[str] = set()
    for one in known.items:
        for trigger in one.triggers if isinstance(one.triggers, list) else ():
            name = trigger.get("event") if isinstance(trigger, dict) else None
            if isinstance(name, str) and "*" not in name and one.retired_at is None:
                names.add(name)
    return SendView(
        names=sorted(names),
        name=filled.get("name", min(names, default="")),
        data=filled.get("data", "{}"),
        sessions=filled.get("sessions", ""),
    )


async def send(ask: Ask, form: Form) -> str:
    """Send the event that a form describes."""
    sent: dict[str, object] = {"name": form.need("name"), "data": _data(form.get("data") or "{}")}
    sessions = form.get("sessions")
    if sessions is not None:
        sent["sessions"] = _sessions(sessions)
    answer = await ask.api.post(SendResponse, "events", {"events": [sent]})
    return f"/events/{answer.event_ids[0]}"


def _data(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise AssayError(
            f"the data is not JSON: {why}",
            code="bad_json",
            field="data",
            hint='write an object such as {"ticketId": "tk_123"}',
        ) from error


def _sessions(text: str) -> dict[str, str]:
    """Sessions as people write them, a line each; `bad_session`."""
    found: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        name, equals, id_ = line.partition("=")
        key = name.strip()
        if not (key and equals):
            raise _bad_session(
                f"{line!r} is no session", "write one key=id a line, such as ticket_id=tk_123"
            )
        if key in found:
            raise _bad_session(f"the key {key!r} is given twice", "an event has one id of a key")
        found[key] = id_.strip()
    return found


def _bad_session(message: str, hint: str) -> AssayError:
    return AssayError(message, code="bad_session", field="sessions", hint=hint)


SEND = Page(
    path="/events/send",
    name="events",
    title="Send an event",
    template="event_send.html",
    render=sending,
)
PAGES = (
    Page(
        path="/events",
        name="events",
        title="Events",
        nav="Events",
        key="e",
        render=events,
        api="events",
        live=("events",),
    ),
    SEND,
    Page(
        path="/events/{event_id}",
        name="events",
        title="Event",
        template="event.html",
        render=event,
        api="events/{event_id}",
        live=("runs",),
    ),
)
ACTIONS = (Action(path="/events/send", act=send, shown_by=SEND),)
