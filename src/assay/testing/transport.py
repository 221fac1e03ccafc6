"""The way of a client's requests into the sandbox's own API, from whichever event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2
from typing_extensions import override

if TYPE_CHECKING:
    from fastapi import FastAPI

API_URL = "http://127.0.0.1:8787"


class InProcess(httpx2.AsyncBaseTransport):
    """Carries requests to an ASGI app on the event loop that it was made on.

    A client's sync face has a loop of its own, and the app's connections can't change theirs.
    """

    def __init__(self, app: FastAPI) -> None:
        self._asgi = httpx2.ASGITransport(app=app)
        self._loop = asyncio.get_running_loop()

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # The key of another deployment, from the environment, means nothing here.
        request.headers.pop("Authorization", None)
        if asyncio.get_running_loop() is self._loop:
            return await self._asgi.handle_async_request(request)
        answer = asyncio.run_coroutine_threadsafe(
            self._asgi.handle_async_request(request), self._loop
        )
        return await asyncio.wrap_future(answer)
