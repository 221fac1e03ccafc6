"""Refusals as RFC 9457 problem+json, which also carry `error: {code, message}`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import psycopg
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assay.api.answers import encode
from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

_LOG = logging.getLogger("assay.api")
_STATUS = {
    "bad_json": 400,
    "bad_id": 400,
    "bad_cursor": 400,
    "key_missing": 401,
    "key_invalid": 401,
    "not_local": 403,
    "run_not_found": 404,
    "span_not_found": 404,
    "event_not_found": 404,
    "score_name_not_found": 404,
    "session_not_found": 404,
    "experiment_not_found": 404,
    "metric_not_found": 404,
    "run_is_over": 409,
    "experiment_is_stopped": 409,
    "event_too_large": 413,
    "body_too_large": 413,
    "too_many_events": 413,
    "too_many_scores": 413,
    "database_unavailable": 503,
}
_INVALID = 422


def problem(error: AssayError) -> Response:
    """The answer that tells of an error."""
    status = _STATUS.get(error.code, _INVALID)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "error": {"code": error.code, "message": error.message},
        "field": error.field,
        "hint": error.hint,
    }
    headers: Mapping[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": "Bearer"}
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": "1"}
    return _response(body, status, headers)


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(AssayError, _assay_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(psycopg.DataError, _not_storable)
    app.add_exception_handler(UnicodeEncodeError, _not_storable)
    app.add_exception_handler(Exception, _fault)


async def _assay_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AssayError)
    return problem(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where, *names = first["loc"]
    field = ".".join(map(str, names)) or str(where)
    is_time = first["type"].startswith(("datetime", "timezone"))
    hint = "give an instant with its zone: 2026-03-23T00:00:00Z" if is_time else f"see the {where}"
    return problem(AssayError(f"{field}: {first['msg']}", code="invalid", field=field, hint=hint))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    code, message = {
        404: ("no_route", f"there is nothing at {request.url.path}"),
        405: ("wrong_method", f"{request.method} is not answered here"),
    }.get(status, ("refused", str(error.detail)))
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "error": {"code": code, "message": message},
        "field": None,
        "hint": "GET /api/v1/openapi.json lists all routes",
    }
    return _response(body, status, error.headers or {})


async def _not_storable(_: Request, __: Exception) -> Response:
    return problem(
        AssayError(
            "a text or number can't be stored",
            code="not_storable",
            hint="null characters, lone surrogates and numbers beyond a double are the usual ones",
        )
    )


async def _fault(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    message = "something went wrong here; the server's log says what"
    body = {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": message,
        "error": {"code": "internal", "message": message},
        "field": None,
        "hint": None,
    }
    return _response(body, 500, {})


def _response(body: Mapping[str, object], status: int, headers: Mapping[str, str]) -> Response:
    return Response(
        encode(body),
        status_code=status,
        headers=dict(headers),
        media_type="application/problem+json",
    )
