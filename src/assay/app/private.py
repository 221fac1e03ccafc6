"""The API for one process alone: a command that asks it and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.access.principals import Principal
from assay.api.app import create_app
from assay.api.asking import who
from assay.app.database import project_named

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assay.settings import Settings


async def private_api(url: str, settings: Settings) -> FastAPI:
    """The API for this process alone: without keys, and for the project of the settings."""
    principal = Principal(project=await project_named(url, settings.project))
    served = create_app(database_url=url, limits=settings.limits)
    served.dependency_overrides[who] = lambda: principal
    return served
