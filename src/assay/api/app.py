"""The FastAPI app."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI

from assay.access.services import Services
from assay.api import problems, schemas
from assay.api.asking import check_parameters
from assay.api.routers import (
    ecosystem,
    events,
    experiments,
    functions,
    health,
    outcomes,
    runs,
    score_names,
    scores,
    sessions,
    traces,
)
from assay.clock import DatabaseClock
from assay.settings import Limits
from assay.wire.paths import EncodedPaths
from assay.wire.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from assay.clock import Clock

LEASE_S = 10.0
PREFIX = "/api/v1"
_RESOURCES = (
    events,
    runs,
    traces,
    sessions,
    score_names,
    scores,
    outcomes,
    experiments,
    functions,
    health,
)


def create_app(
    *,
    database_url: str,
    limits: Limits | None = None,
    clock: Clock | None = None,
    dev: bool = False,
    lease_s: float = LEASE_S,
) -> FastAPI:
    """The API on a migrated database.

    Args:
        database_url: as the owner of the tables.
        limits: how large things may be.
        clock: the database's time unless given.
        dev: whether requests from this machine need no key (`access.binding.needs_keys`).
        lease_s: how long the process is believed to live without a sign, in seconds.
    """
    services = Services(
        database_url,
        limits=limits or Limits(),
        clock=clock or DatabaseClock(),
        dev=dev,
        lease_s=lease_s,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await services.close()

    refusals: dict[int | str, dict[str, Any]] = {
        "4XX": {"model": Problem, "description": "a refusal: code, message, field and hint"}
    }
    app = FastAPI(
        title="Assay",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=refusals,
    )
    app.state.services = services
    problems.install(app)
    encoded = ("sessions", "experiments", "scores/names")
    app.add_middleware(EncodedPaths, prefixes=tuple(f"{PREFIX}/{each}/" for each in encoded))
    for resource in _RESOURCES:
        app.include_router(resource.router, prefix=PREFIX, dependencies=[Depends(check_parameters)])
    app.include_router(ecosystem.router)
    setattr(app, "openapi", schemas.complete(app))  # noqa: B010 - mypy guards methods
    return app
