"""What is scored, by name: rates and means with their intervals, over time and by group."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from assay.api import summary_shapes
from assay.api.answers import answer, page
from assay.api.asking import Cursor, Days, Instant, Limit, Who, range_of, services_of
from assay.errors import AssayError
from assay.scoring import summaries
from assay.wire import base
from assay.wire import score_names as wire
from assay.wire.paths import decoded

router = APIRouter(tags=["scores"])


@router.get("/scores/names", response_model=base.Page[wire.ScoreName])
async def list_names(
    request: Request,
    who: Who,
    limit: Limit = 50,
    cursor: Cursor = None,
    days: Days = 7,
    queued_after: Instant = None,
    queued_before: Instant = None,
) -> Response:
    """The names that are scored or promised, summed up over the runs of a range of time."""
    services = services_of(request)
    within = range_of(services.now(), days, queued_after, queued_before)
    found = await services.read(
        who.project,
        lambda reading: summaries.page(
            reading, project=who.project, within=within, limit=limit, after=cursor
        ),
    )
    return page(found, summary_shapes.summary)


@router.get("/scores/names/{name}", response_model=wire.ScoreNameDetail)
async def get_name(
    request: Request,
    who: Who,
    name: str,
    days: Days = 7,
    queued_after: Instant = None,
    queued_before: Instant = None,
) -> Response:
    """A name over time, by function and variant, with its distribution and extreme runs."""
    services, text = services_of(request), decoded(name)
    within = range_of(services.now(), days, queued_after, queued_before)
    found = await services.read(
        who.project,
        lambda reading: summaries.detail(reading, project=who.project, name=text, within=within),
    )
    if found is None:
        raise AssayError(
            f"nothing is scored or promised under the name {text!r}",
            code="score_name_not_found",
            field="name",
            hint="GET /api/v1/scores/names lists the names",
        )
    return answer(summary_shapes.detail(found))
