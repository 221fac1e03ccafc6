"""Events: sending and reading them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from assay.api import shapes
from assay.api.answers import answer, page
from assay.api.asking import Cursor, Instant, Limit, Who, read_json, services_of
from assay.api.incoming import Desk, event, ids_of
from assay.api.schemas import body_of
from assay.errors import AssayError
from assay.ids import parse, to_text
from assay.store import event_log, runs
from assay.wire import base, events
from assay.wire import runs as runs_wire

router = APIRouter(tags=["events"])
RUNS_SHOWN = 100


@router.post(
    "/events", response_model=events.SendResponse, openapi_extra=body_of(events.SendRequest)
)
async def send_events(request: Request, who: Who) -> Response:
    """Send events; all of them are taken, or none and the answer names the one that is wrong."""
    services = services_of(request)
    body = await read_json(request)
    if isinstance(body, dict) and len(body) > 1 and "events" in body:
        unknown = min(body.keys() - {"events"})
        raise AssayError(
            f"{unknown} is no field beside events",
            code="event_shape",
            field=unknown,
            hint="what belongs to an event stands inside it",
        )
    if not isinstance(body, dict) or body.keys() != {"events"}:
        raise AssayError(
            "the body must be an object with a list of events",
            code="event_shape",
            field="events",
            hint='{"events": [{"name": "support/ticket.created", "data": {}}]}',
        )
    desk = Desk(limits=services.limits, now=services.now(), ids=services.ids)
    received = desk.receive(body["events"], event)
    sent = await services.send(who.project, received)
    return answer(
        {
            "event_ids": ids_of(received),
            "run_ids": list(sent.run_ids),
            "duplicates": {to_text(one): first for one, first in sent.duplicates.items()},
        }
    )


@router.get("/events", response_model=base.Page[events.Event])
async def list_events(
    request: Request,
    who: Who,
    limit: Limit = 50,
    cursor: Cursor = None,
    name: str | None = None,
    received_after: Instant = None,
    received_before: Instant = None,
    data: bool = True,  # noqa: FBT001, FBT002 - a parameter of the query
) -> Response:
    """Events, the newest first; `data=false` leaves their data empty, which may be large."""
    found = await services_of(request).read(
        who.project,
        lambda reading: event_log.page(
            reading,
            project=who.project,
            limit=limit,
            name=name,
            received_after=received_after,
            received_before=received_before,
            after=cursor,
            with_data=data,
        ),
    )
    return page(found, shapes.event)


@router.get("/events/{event_id}", response_model=runs_wire.EventDetail)
async def get_event(request: Request, who: Who, event_id: str) -> Response:
    """An event with the runs that it started and the runs whose wait it ended."""
    id_ = parse(event_id, field="event_id")
    services, project = services_of(request), who.project
    found = await services.read(
        project, lambda reading: event_log.find(reading, project=project, event=id_)
    )
    if found is None:
        raise AssayError(f"there is no event {event_id}", code="event_not_found", field="event_id")
    started = await services.read(
        project,
        lambda reading: runs.started_by(reading, project=project, event=id_, limit=RUNS_SHOWN),
    )
    woken = await services.read(
        project,
        lambda reading: runs.woken_by(reading, project=project, event=id_, limit=RUNS_SHOWN),
    )
    return answer(
        {
            **shapes.event(found),
            "started_runs": [shapes.run(one) for one in started],
            "woken_runs": [shapes.run(one) for one in woken],
        }
    )
