"""The API for one process alone: a command that asks it and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.access.principals import Principal
from assay.api.app import PREFIX, RESOURCES, create_app, include
from assay.api.asking import who
from assay.app.database import project_named

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from assay.settings import Settings


class PrivateApi:
    """The API without keys, for one project; a resource is loaded when it is first asked for.

    Args:
        app: with no resource so far.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._missing = set(RESOURCES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        resource = scope["path"].removeprefix(f"{PREFIX}/").partition("/")[0]
        if resource in self._missing:
            self._missing.remove(resource)
            include(self.app, resource)
        await self.app(scope, receive, send)


async def private_api(url: str, settings: Settings) -> PrivateApi:
    """The API for this process alone: without keys, and for the project of the settings."""
    principal = Principal(project=await project_named(url, settings.project))
    app = create_app(database_url=url, limits=settings.limits, resources=())
    app.dependency_overrides[who] = lambda: principal
    return PrivateApi(app)
