"""`POST /e/{key}`: events in the form of the ecosystem's clients."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from assay.api.answers import answer
from assay.api.asking import anonymous, by_key, read_json, services_of
from assay.api.incoming import Desk, ecosystem_event, ids_of, seed_of
from assay.api.schemas import body_of
from assay.errors import AssayError
from assay.wire import events

router = APIRouter(tags=["events"])
SEED_HEADER = "x-inngest-event-id-seed"


@router.post(
    "/e/{key}",
    response_model=events.EcosystemResponse,
    openapi_extra=body_of(events.EcosystemRequest),
)
async def send_events(request: Request, key: str) -> Response:
    """Send one event or an array of them; a seed in the header makes trying again harmless."""
    services = services_of(request)
    try:
        who = await by_key(request, key)
    except AssayError as error:
        # Clients of the ecosystem always send a key, in development a made-up one.
        if error.code != "key_invalid" or not services.dev:
            raise
        who = anonymous(request)
    body = await read_json(request)
    now = services.now()
    seed = seed_of(request.headers.get(SEED_HEADER), now=now)
    desk = Desk(limits=services.limits, now=now, ids=services.ids)
    received = desk.receive(body if isinstance(body, list) else [body], ecosystem_event(seed))
    await services.send(who.project, received)
    return answer({"ids": ids_of(received), "status": 200})
