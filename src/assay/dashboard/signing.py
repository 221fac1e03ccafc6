"""Signing in with an API key, and out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from assay.dashboard import doors, forms, rendering, sealing
from assay.errors import AssayError

if TYPE_CHECKING:
    from starlette.requests import Request

    from assay.access.services import Services

IN, OUT = "/sign-in", "/sign-out"


def needed(request: Request) -> Response:
    """Lead whoever has not signed in to the page where they can, and back from there."""
    if request.method != "GET":
        return RedirectResponse(IN, HTTPStatus.SEE_OTHER)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{IN}?next={quote(target, safe='')}", HTTPStatus.SEE_OTHER)


def routes(services: Services) -> list[Route]:
    """The pages of signing in and out."""

    async def show(request: Request) -> Response:
        target = _next(request.query_params.get("next"))
        if await doors.is_signed_in(services, request.cookies):
            return RedirectResponse(target, HTTPStatus.SEE_OTHER)
        if request.headers.get("sec-fetch-site") == "cross-site":
            bounce = rendering.outside(
                "bounce.html", target=str(request.url.replace(scheme="", netloc=""))
            )
            return sealing.html(bounce)
        return _page(target)

    async def take(request: Request) -> Response:
        target = "/"
        try:
            doors.check_own(request.headers)
            form = await forms.read(request)
            target = _next(form.get("next"))
            cookie = await doors.sign_in(services, form.need("key"))
        except AssayError as error:
            return _page(target, error)
        response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
        response.set_cookie(
            doors.COOKIE,
            cookie,
            max_age=doors.STAYS_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def leave(request: Request) -> Response:
        try:
            doors.check_own(request.headers)
        except AssayError as error:
            return _page("/", error)
        response = RedirectResponse(IN, HTTPStatus.SEE_OTHER)
        response.delete_cookie(doors.COOKIE, httponly=True, samesite="strict")
        return response

    return [
        Route(IN, show, methods=["GET"]),
        Route(IN, take, methods=["POST"]),
        Route(OUT, leave, methods=["POST"]),
    ]


def _next(target: str | None) -> str:
    """Where to go on: a path of this server, never an address elsewhere."""
    is_own = target is not None and target.startswith("/p/") and "\\" not in target
    return target if target and is_own else "/"


def _page(target: str, error: AssayError | None = None) -> Response:
    text = rendering.outside("sign_in.html", next=target, error=error)
    return sealing.html(text, HTTPStatus.OK if error is None else HTTPStatus.FORBIDDEN)
