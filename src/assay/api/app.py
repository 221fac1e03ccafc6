"""The FastAPI app."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI

from assay.access.services import Services
from assay.api import problems, schemas
from assay.api.asking import check_parameters
from assay.clock import DatabaseClock
from assay.settings import Limits
from assay.wire.paths import EncodedPaths
from assay.wire.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from fastapi import APIRouter

    from assay.clock import Clock

LEASE_S = 10.0
PREFIX = "/api/v1"
RESOURCES = {
    "events": ("events",),
    "runs": ("runs", "traces"),
    "sessions": ("sessions",),
    "scores": ("score_names", "scores"),
    "outcomes": ("outcomes",),
    "experiments": ("experiments",),
    "functions": ("functions",),
    "health": ("health",),
}
"""The routers of what stands first in a path below `PREFIX`, in their order."""


def create_app(
    *,
    database_url: str,
    limits: Limits | None = None,
    clock: Clock | None = None,
    dev: bool = False,
    lease_s: float = LEASE_S,
    resources: Iterable[str] = RESOURCES,
) -> FastAPI:
    """The API on a migrated database.

    Args:
        database_url: as the owner of the tables.
        limits: how large things may be.
        clock: the database's time unless given.
        dev: whether requests from this machine need no key (`access.binding.needs_keys`).
        lease_s: how long the process is believed to live without a sign, in seconds.
        resources: what it answers for; `include` adds more.
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
    for resource in resources:
        include(app, resource)
    setattr(app, "openapi", schemas.complete(app))  # noqa: B010 - mypy guards methods
    return app


def include(app: FastAPI, resource: str) -> None:
    """Load the routes of a resource, and answer them from now on."""
    for name in RESOURCES[resource]:
        app.include_router(_router(name), prefix=PREFIX, dependencies=[Depends(check_parameters)])
    if resource == "events":
        app.include_router(_router("ecosystem"))


def _router(name: str) -> APIRouter:
    router: APIRouter = import_module(f"assay.api.routers.{name}").router
    return router
