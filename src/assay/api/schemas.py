"""The OpenAPI document: bodies are read by hand, so their shapes are put into it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

_REFERENCE = "#/components/schemas/{model}"


def body_of(shape: Any) -> dict[str, Any]:
    """What a route says of the JSON body that it reads: `openapi_extra`."""
    schema = TypeAdapter(shape).json_schema(ref_template=_REFERENCE)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def complete(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The app's OpenAPI document with the definitions of bodies in their place."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            shared = document.setdefault("components", {}).setdefault("schemas", {})
            for path in document["paths"].values():
                for route in path.values():
                    content = route.get("requestBody", {}).get("content", {})
                    for media in content.values():
                        shared |= media["schema"].pop("$defs", {})
            app.openapi_schema = document
        return app.openapi_schema

    return openapi
