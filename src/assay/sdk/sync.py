"""The client for code that is not async: the same calls, each waits for its answer.

Outside of runs they run on an event loop in a daemon thread of the client's own, so that its
connections last; inside a sync body or step they go by the run's journal.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar, overload

from assay import ids
from assay.errors import AssayError
from assay.sdk import questions
from assay.sdk.asks import call
from assay.sdk.events import drafts
from assay.sdk.port import current_journal
from assay.sdk.questions import Sent
from assay.sdk.scores import checked, checked_for

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime, timedelta

    from assay.model.score_rules import CheckedScore
    from assay.sdk.calls import Calls
    from assay.sdk.definitions import Invocable
    from assay.sdk.events import Event
    from assay.sdk.port import Journal
    from assay.sdk.scores import Reference

R = TypeVar("R")


class SyncClient:
    """What `client.sync` gives."""

    def __init__(self, client: Calls) -> None:
        self._client = client
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    def send(self, events: Event[Any] | Sequence[Event[Any]]) -> Sent:
        """Send events, as `Client.send`."""
        journal = _journal()
        if journal is None:
            return self._wait(self._client.send(events))
        written = drafts(events)
        if not written:
            return Sent((), ())
        if journal.current_step() is not None:
            return questions.send_in_step(journal, written)
        return call(journal, questions.sending(questions.SEND_STEP, written))

    def score(
        self,
        name: str,
        value: float,
        *,
        run_id: str | None = None,
        step_id: str | None = None,
        index: int | None = None,
        rationale: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
        id: str | None = None,
    ) -> None:
        """Score a run or one of its steps, as `Client.score`."""
        others: dict[str, Any] = {
            "run_id": run_id,
            "step_id": step_id,
            "index": index,
            "rationale": rationale,
            "author": author,
            "at": at,
        }
        journal = _journal()
        if journal is None:
            self._wait(self._client.score(name, value, **others, id=id))
        else:
            _give(journal, checked(name, value, **others), id)

    def score_experiment(
        self,
        name: str,
        value: float,
        *,
        experiment: Reference,
        run_id: str | None = None,
        rationale: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
        id: str | None = None,
    ) -> None:
        """Score the variant that a run was served, as `Client.score_experiment`."""
        others: dict[str, Any] = {
            "run_id": run_id,
            "rationale": rationale,
            "author": author,
            "at": at,
        }
        journal = _journal()
        if journal is None:
            given = self._client.score_experiment(
                name, value, experiment=experiment, **others, id=id
            )
            self._wait(given)
        else:
            _give(journal, checked_for(experiment, name, value, **others), id)

    @overload
    def result(
        self,
        run_id: str,
        *,
        of: Invocable[R, Any],
        timeout: str | float | timedelta | None = None,
    ) -> R: ...
    @overload
    def result(self, run_id: str, *, timeout: str | float | timedelta | None = None) -> Any: ...
    def result(
        self,
        run_id: str,
        *,
        of: Invocable[Any, Any] | None = None,
        timeout: str | float | timedelta | None = None,
    ) -> Any:
        """Wait for a run and give its output, as `Client.result`."""
        _journal()
        if of is None:
            return self._wait(self._client.result(run_id, timeout=timeout))
        return self._wait(self._client.result(run_id, of=of, timeout=timeout))

    def cancel(self, run_id: str) -> None:
        """Cancel a run, as `Client.cancel`."""
        _journal()
        self._wait(self._client.cancel(run_id))

    def close(self) -> None:
        """Close the connections and end the thread; a later call begins anew."""
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._client.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    def _wait(self, begun: Coroutine[object, object, R]) -> R:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_serve, args=(self._loop,), name="assay-client", daemon=True
                ).start()
            loop = self._loop
        answer = asyncio.run_coroutine_threadsafe(_through(begun), loop)
        try:
            return answer.result()
        except BaseException:
            answer.cancel()
            raise


def _give(journal: Journal, score: CheckedScore, id: str | None) -> None:
    given = None if id is None else ids.parse(id)
    if journal.current_step() is not None:
        questions.score_in_step(journal, score, given)
    else:
        call(journal, questions.scoring(questions.SCORE_STEP, score, journal, given))


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _through(begun: Coroutine[object, object, R]) -> R:
    return await begun


def _journal() -> Journal | None:
    """The journal of the run that calls; `sync_in_async` where waiting would stop a loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return current_journal.get()
    raise AssayError(
        "client.sync would stop the event loop that runs here",
        code="sync_in_async",
        hint="await the client's own method: await client.send(...)",
    )
