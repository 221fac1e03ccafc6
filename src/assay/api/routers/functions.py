"""Functions: what apps have registered."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from assay.api import shapes
from assay.api.answers import page
from assay.api.asking import Cursor, Limit, Who, services_of
from assay.store import function_list
from assay.wire import base, functions

router = APIRouter(tags=["functions"])


@router.get("/functions", response_model=base.Page[functions.Function])
async def list_functions(
    request: Request, who: Who, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The functions and scorers of all apps."""
    found = await services_of(request).read(
        who.project,
        lambda reading: function_list.page(reading, project=who.project, limit=limit, after=cursor),
    )
    return page(found, shapes.function)
