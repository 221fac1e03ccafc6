"""Health: whether the server answers and reaches its database."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from assay.access.principals import DEFAULT_PROJECT
from assay.api.answers import answer
from assay.api.asking import services_of
from assay.store import function_list

router = APIRouter(tags=["health"])


@router.get("/health")
async def get_health(request: Request) -> Response:
    """Ok once the database answers; needs no key."""
    await services_of(request).read(
        DEFAULT_PROJECT,
        lambda reading: function_list.page(reading, project=DEFAULT_PROJECT, limit=1),
    )
    return answer({"status": "ok", "database": "ok"})
