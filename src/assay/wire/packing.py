"""Long answers, packed for those who say that they can unpack them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_WORTH_IT = 2_000
"""Shorter ones fit into a packet or two as they are."""


def packed(response: Response, request: Request) -> Response:
    """The same answer; one that is a stream, or packed already, stays as it is."""
    body = getattr(response, "body", b"")
    if len(body) <= _WORTH_IT or "content-encoding" in response.headers:
        return response
    response.headers["Vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        # The first level takes a quarter of the usual time, and packs JSON nearly as well.
        response.body = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response
