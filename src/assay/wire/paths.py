"""Paths whose parts may hold any text: they are routed as they were sent, encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class EncodedPaths:
    """Leaves percent-encoding in the paths below some prefixes, so that a part may hold a slash."""

    def __init__(self, app: ASGIApp, prefixes: tuple[str, ...]) -> None:
        self._app = app
        self._prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["path"].startswith(self._prefixes):
            sent = scope.get("raw_path")
            if isinstance(sent, bytes):
                path = sent.split(b"?", 1)[0].decode("latin-1")
                scope = {**scope, "path": path}
        await self._app(scope, receive, send)


def decoded(part: str) -> str:
    """The text of a part of such a path."""
    return unquote(part)
