"""Speaks the API over HTTP for clients outside of runs."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import httpx2

from assay import ids
from assay.errors import AssayError
from assay.model import json_text
from assay.sdk.questions import Sent
from assay.settings import Settings
from assay.wire.base import Message, Request
from assay.wire.events import EventIn, SendResponse
from assay.wire.problems import Problem
from assay.wire.runs import ENDED, CancelResponse, Run
from assay.wire.scores import ScoreIn, ScoreResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from assay.ids import Ids
    from assay.model.score_rules import CheckedScore
    from assay.sdk.definitions import Invocable
    from assay.sdk.port import EventDraft

M = TypeVar("M", bound=Message)

USUAL_URL = "http://127.0.0.1:8787"
ATTEMPTS = 5
FIRST_DELAY_S = 0.1
LONGEST_WAIT_S = 20.0
TIMEOUT_S = 30.0
_TRY_AGAIN = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


class Api:
    """The API as a client sees it; one pool of connections for each event loop.

    Args:
        url: of the API, None takes `ASSAY_URL` or this machine.
        api_key: None takes `ASSAY_API_KEY`.
        transport: carries the requests in place of the network.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        url: str | None,
        api_key: str | None,
        transport: httpx2.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        settings = Settings.from_env()
        self._url = (url or settings.url or USUAL_URL).rstrip("/")
        key = api_key or settings.api_key
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._transport = transport
        self._sleep = sleep
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = (
            WeakKeyDictionary()
        )

    async def send(self, events: Sequence[EventDraft], minted: Ids) -> Sent:
        """Send events; their ids are minted once, so that trying again starts nothing twice."""
        request = {"events": [_event(event, minted) for event in events]}
        answer = await self._ask("POST", "/api/v1/events", SendResponse, request)
        return Sent(tuple(answer.event_ids), tuple(answer.run_ids), answer.duplicates)

    async def score(self, score: CheckedScore, id: UUID) -> None:
        """Write a score about a run or one of its steps."""
        request = ScoreIn(
            id=ids.to_text(id),
            name=score.name,
            value=score.value,
            run_id=score.run_id,
            step_id=score.step_id,
            index=score.index,
            rationale=score.rationale,
            author=score.author,
            at=score.at,
            experiment=None if score.reference is None else score.reference.as_dict(),
        )
        await self._ask("POST", "/api/v1/scores", ScoreResponse, _plain(request))

    async def result(
        self, run_id: str, of: Invocable[Any, Any] | None, timeout_s: float | None
    ) -> Any:
        """Wait until a run has ended and give its output."""
        time = asyncio.get_running_loop().time
        deadline = None if timeout_s is None else time() + timeout_s
        while True:
            left = LONGEST_WAIT_S if deadline is None else max(0.0, deadline - time())
            wait_s = min(left, LONGEST_WAIT_S)
            run = await self._ask("GET", f"/api/v1/runs/{run_id}?wait_s={wait_s:.3f}&include=", Run)
            if run.status in ENDED:
                return _output(run, of)
            if deadline is not None and time() >= deadline:
                raise AssayError(
                    f"run {run_id} was still {run.status} after {timeout_s:g} s",
                    code="result_timeout",
                    field="timeout",
                    hint="wait longer, or look at the run: it goes on",
                    is_retriable=True,
                )

    async def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        await self._ask("POST", f"/api/v1/runs/{run_id}/cancel", CancelResponse)

    async def aclose(self) -> None:
        """Close the connections of the event loop that runs."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _ask(
        self, method: str, path: str, answer: type[M], request: dict[str, Any] | None = None
    ) -> M:
        body = None if request is None else json_text.dump(request).encode()
        response = await self._persist(method, path, body)
        if response.is_success:
            return answer.model_validate(response.json())
        raise error_of(response)

    async def _persist(self, method: str, path: str, body: bytes | None) -> httpx2.Response:
        client = self._client()
        delay_s = FIRST_DELAY_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await client.request(
                    method, path, content=body, headers={"Content-Type": "application/json"}
                )
            except httpx2.TransportError as error:
                if attempt == ATTEMPTS:
                    reason = str(error) or type(error).__name__
                    raise AssayError(
                        f"the API at {self._url} can't be reached: {reason}",
                        code="api_unreachable",
                        field="url",
                        hint="start `assay dev` or `assay serve`, or set ASSAY_URL",
                        is_retriable=True,
                    ) from error
            else:
                if attempt == ATTEMPTS or response.status_code not in _TRY_AGAIN:
                    return response
            await self._sleep(delay_s)
            delay_s *= 2
        raise AssertionError

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx2.AsyncClient(
                base_url=self._url,
                headers=self._headers,
                timeout=TIMEOUT_S,
                transport=self._transport,
            )
        return self._clients[loop]


def _event(event: EventDraft, minted: Ids) -> dict[str, Any]:
    written = EventIn(
        id=ids.to_text(event.id or minted.new()),
        name=event.name,
        sessions=None if event.sessions is None else dict(event.sessions),
        drop_sessions=event.drops_sessions,
        key=event.key,
        ts=event.ts,
        force=None if event.force is None else dict(event.force),
    )
    # Beside the model, since pydantic writes nothing that is nested as deeply as data may be.
    data = json.loads(event.data)
    return {**_plain(written), "data": data} if data else _plain(written)


def _plain(request: Request) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_defaults=True)


def _output(run: Run, of: Invocable[Any, Any] | None) -> Any:
    if run.status == "completed":
        if of is None:
            return run.output
        try:
            return of.read_output(json_text.dump(run.output))
        except ValueError as error:
            raise AssayError(
                f"the output of run {run.id} does not fit {of!r}: {error}",
                code="output_misfit",
                field="of",
                hint="pass the function that the run was of",
            ) from error
    if run.status == "cancelled":
        raise AssayError(f"run {run.id} was cancelled", code="run_cancelled")
    reason = "" if run.error is None else f": {run.error.type}: {run.error.message}"
    raise AssayError(
        f"run {run.id} failed{reason}", code="run_failed", hint="look at its trace for the step"
    )


def error_of(response: httpx2.Response) -> AssayError:
    """What an answer refuses; `api_error` for one that is no problem of Assay's."""
    try:
        return Problem.model_validate(response.json()).to_error()
    except ValueError:
        return AssayError(
            f"the API answered {response.status_code} {response.reason_phrase}",
            code="api_error",
            field="url",
            hint="is ASSAY_URL the address of an Assay API?",
            is_retriable=response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR,
        )
