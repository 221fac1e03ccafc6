"""What a request says: who asks, its JSON, the parameters that several routes share."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime

from assay.access.binding import check_local
from assay.access.principals import PRINCIPAL, Principal, identify, without_key
from assay.errors import AssayError
from assay.model.event_rules import EARLIEST, LATEST
from assay.store.score_values import Range

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from fastapi.dependencies.models import Dependant

    from assay.access.services import Services, Writer
    from assay.model.events import Json

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_LIMIT = 500

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="most items on a page")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]
Days = Annotated[int, Query(ge=1, le=3660, description="back from now, without queued_after")]
Instant = Annotated[AwareDatetime | None, Query(ge=EARLIEST, lt=LATEST)]


def services_of(request: Request) -> Services:
    """The app's services."""
    return cast("Services", request.app.state.services)


def check_parameters(request: Request) -> None:
    """`bad_filter` for what the route doesn't know: a misspelt filter must not answer for all."""
    if not request.query_params:
        return
    known = sorted(_parameters(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            raise AssayError(
                f"{name!r} is no parameter here",
                code="bad_filter",
                field=name,
                hint=f"there are {', '.join(known)}" if known else "leave the query out",
            )
        if len(request.query_params.getlist(name)) > 1:
            raise AssayError(
                f"{name} is given more than once",
                code="bad_filter",
                field=name,
                hint="give each parameter once: ask again for the other value",
            )


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _parameters(each)


async def who(request: Request) -> Principal:
    """Who asks; `key_missing`, `key_invalid` or `not_local` where nobody may."""
    known = request.scope.get(PRINCIPAL)
    if isinstance(known, Principal):
        return known
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return await by_key(request, secret.strip())
    return anonymous(request)


async def by_key(request: Request, secret: str) -> Principal:
    """Whose key this is."""
    return await services_of(request).write(lambda writer: _identify(writer, secret))


async def _identify(writer: Writer, secret: str) -> Principal:
    return await identify(await writer.link.get(), secret)


def anonymous(request: Request) -> Principal:
    """Who asks without a key."""
    principal = without_key(dev=services_of(request).dev)
    check_local(request.headers.get("host"), request.headers.get("origin"))
    return principal


Who = Annotated[Principal, Depends(who)]


async def read_json(request: Request) -> Json:
    """The JSON of a request's body; `body_too_large` or `bad_json` otherwise."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise AssayError(
                f"a request may have {MAX_BODY_BYTES} bytes at most",
                code="body_too_large",
                hint="send it in several requests",
            )
        chunks.append(chunk)
    try:
        return cast(
            "Json",
            json.loads(b"".join(chunks), parse_constant=_refuse_constant, parse_float=_finite),
        )
    except (ValueError, RecursionError) as error:
        raise AssayError(
            f"the body is not JSON: {_told(error)}",
            code="bad_json",
            hint="send UTF-8 JSON, with numbers that a double can hold",
        ) from error


def _told(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is beyond a double")
    return number


def range_of(now: datetime, days: int, after: datetime | None, before: datetime | None) -> Range:
    """The range of time that a query asks for; `bad_filter` for one that ends before it begins."""
    # A run that is queued this instant is in it, by whichever clock.
    end = before or now + timedelta(seconds=1)
    start = after or end - timedelta(days=days)
    if start >= end:
        raise AssayError(
            "queued_after is not before queued_before",
            code="bad_filter",
            field="queued_after",
            hint="leave one of them out, or exchange them",
        )
    return Range(start, end)
