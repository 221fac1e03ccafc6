"""Functions in the test's own process: the whole system but the network and real time."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from itertools import count
from secrets import randbits
from typing import TYPE_CHECKING, Any, Self

import httpx2

from assay.api.app import create_app
from assay.clock import ManualClock
from assay.durations import seconds
from assay.engine.options import WorkerOptions
from assay.errors import AssayError
from assay.ids import Ids, to_text
from assay.sdk.http import Api, error_of
from assay.store.pool import Link
from assay.store.workers import expire
from assay.testing.mortal import Fate, MortalWorker
from assay.testing.transport import API_URL, InProcess
from assay.wire.base import Page
from assay.wire.events import Event as EventRead
from assay.wire.runs import ENDED, Run, RunDetail
from assay.wire.scores import Score

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from assay.sdk.client import Client
    from assay.sdk.events import Event
    from assay.sdk.questions import Sent

PATIENCE_S = 30.0
_USUAL = WorkerOptions()
_LEASE_S = 3600.0
_LOOK_S = 0.001
_TICK = timedelta(microseconds=1)
_CHANCE_BITS = 48


class _Ordered:
    """Bits by which ids of one instant are in the order in which they were made.

    Those of another sandbox on the same database, at the same instant of its clock, are others.
    """

    def __init__(self) -> None:
        self._order = count(1)

    def __call__(self, bits: int) -> int:
        chance = randbits(_CHANCE_BITS)
        return (next(self._order) << _CHANCE_BITS | chance) & ((1 << bits) - 1)


class Sandbox:
    """Runs functions in a test; use it as an async context manager.

    While it is open, `send`, `score`, `result` and `cancel` of its clients go to it. It refuses to
    be closed where a crash was asked for that did not take place (`crash_missed`).

    Args:
        clients: the apps whose functions run.
        database_url: of a database with Assay's tables that this test alone uses.
        start: where the clock stands at first; now unless given.
        patience_s: real seconds after which a wait for something that never comes fails.
        max_steps: of one run.
        max_output_bytes: of one step and of one run.
        lease_s: real seconds after which others take over from a sandbox that was killed; long, so
            that a debugger may stop it.

    Attributes:
        clock: stands still but for `advance` and `move`.
    """

    def __init__(
        self,
        *clients: Client,
        database_url: str,
        start: datetime | None = None,
        patience_s: float = PATIENCE_S,
        max_steps: int = _USUAL.max_steps,
        max_output_bytes: int = _USUAL.max_output_bytes,
        lease_s: float = _LEASE_S,
    ) -> None:
        self.clock = ManualClock(start or datetime.now(UTC))
        self._clients = clients
        self._url = database_url
        self._patience_s = patience_s
        self._options = WorkerOptions(
            lease_s=lease_s,
            heartbeat_s=lease_s / 4,
            grace_s=0.0,
            max_steps=max_steps,
            max_output_bytes=max_output_bytes,
        )
        self._ids = Ids(self.clock, bits=_Ordered())
        self._fate = Fate()
        self._link = Link(database_url)
        self._open = AsyncExitStack()
        self._http: httpx2.AsyncClient

    async def __aenter__(self) -> Self:
        app = create_app(database_url=self._url, clock=self.clock, dev=True)
        transport = InProcess(app)
        api = Api(API_URL, None, transport)
        self._http = httpx2.AsyncClient(transport=transport, base_url=f"{API_URL}/api/v1/")
        self._open.push_async_callback(self._link.close)
        self._open.push_async_callback(app.state.services.close)
        self._open.push_async_callback(self._http.aclose)
        self._open.push_async_callback(api.aclose)
        for client in self._clients:
            self._open.enter_context(client.rerouted(api, self._ids))
        await self._start_workers()
        self._open.push_async_callback(self._stop_workers)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()
        if kind is None:
            self._fate.check()

    # Acting

    async def send(self, events: Event[Any] | Sequence[Event[Any]]) -> Sent:
        """Send events; the same as `client.send`."""
        return await self._clients[0].send(events)

    async def advance(self, by: str | float | timedelta) -> None:
        """Let time pass: what falls due on the way runs at its instant, until all is at rest."""
        target = self.clock.now() + timedelta(seconds=seconds(by, field="by"))
        await self.settled()
        while (due := await self._next_due(target + _TICK)) is not None:
            self._set_clock(due)
            await self.settled()
        self._set_clock(target)
        await self.settled()

    def move(self, by: str | float | timedelta) -> None:
        """Set the clock forward at once and wait for nothing: for tests with steps in flight."""
        self._set_clock(self.clock.now() + timedelta(seconds=seconds(by, field="by")))

    def crash_after(self, *, commit: int = 1) -> None:
        """Let the process die right after that many commits from now; a new one takes over."""
        self._fate.dies_at, self._fate.is_before = self._fate.commits + commit, False

    def crash_before(self, *, commit: int = 1) -> None:
        """Let the process die instead of its n-th commit from now: what that held is lost."""
        self._fate.dies_at, self._fate.is_before = self._fate.commits + commit, True

    def crash(self) -> None:
        """Let the process die now, also from inside an async step; a new one takes over."""
        self._fate.strike()

    # Waiting

    async def settled(self) -> None:
        """Wait until nothing is due and no run is live.

        Raises:
            AssayError: `sandbox_busy` when something does not come to rest.
        """
        await self.until(self._is_settled)

    async def finished(self, run_id: str) -> RunDetail:
        """A run once it has ended.

        Raises:
            AssayError: `sandbox_waiting` when it waits for an event or for time to pass.
        """
        await self.settled()
        run = await self.run(run_id)
        if run.status not in ENDED:
            waits = [f"{step.kind} {step.id!r}" for step in run.steps if step.status == "waiting"]
            raise AssayError(
                f"run {run_id} of {run.function_id!r} is {run.status}: "
                f"{', '.join(waits) or 'its body'} waits",
                code="sandbox_waiting",
                hint="send the event that it waits for, or let time pass with box.advance(...)",
            )
        return run

    async def until(self, holds: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait until something holds, looking again and again.

        Raises:
            AssayError: `sandbox_busy` when it does not for too long.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    await self._revive()
                    held = holds()
                    if await held if isawaitable(held) else held:
                        return
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            live = [to_text(run) for worker in self._workers for run in worker.live]
            raise AssayError(
                f"what the test waits for has not come in {self._patience_s:g} s; "
                f"live runs: {', '.join(live) or 'none'}",
                code="sandbox_busy",
                hint="a step that waits for the test keeps its run live: let it end first",
            ) from None

    # Reading

    async def run(self, run_id: str) -> RunDetail:
        """A run with its steps, latest scores, outcomes and spans."""
        return RunDetail.model_validate(await self.get(f"runs/{run_id}"))

    async def runs(self, function_id: str | None = None) -> list[Run]:
        """All runs, or those of a function, the oldest first."""
        asked: dict[str, Any] = {"limit": 500}
        if function_id is not None:
            asked["function_id"] = function_id
        return Page[Run].model_validate(await self.get("runs", **asked)).data[::-1]

    async def scores(self, run_id: str) -> list[Score]:
        """All scores that a run and its steps were ever given, the oldest first."""
        page = await self.get(f"runs/{run_id}/scores", history="true", limit=500)
        return Page[Score].model_validate(page).data[::-1]

    async def event(self, event_id: str) -> EventRead:
        """An event with the runs that it started and woke."""
        return EventRead.model_validate(await self.get(f"events/{event_id}"))

    async def get(self, path: str, **asked: object) -> Any:
        """What the API answers to a GET of a path below `/api/v1/`, as JSON.

        Raises:
            AssayError: the API refuses, with its code, such as `run_not_found`.
        """
        response = await self._http.get(path, params=asked)  # type: ignore[arg-type]
        if response.is_error:
            raise error_of(response)
        # Not by pydantic, which refuses the lone surrogates that models emit.
        return json.loads(response.content)

    @property
    def commits(self) -> int:
        """How many commits the workers have made so far."""
        return self._fate.commits

    @property
    def _workers(self) -> list[MortalWorker]:
        return self._fate.workers

    def _set_clock(self, instant: datetime) -> None:
        self.clock.advance(max(timedelta(0), instant - self.clock.now()))
        self._poke()

    def _poke(self) -> None:
        for worker in self._workers:
            worker.poke()

    async def _next_due(self, before: datetime) -> datetime | None:
        found = [await worker.next_due(before) for worker in self._workers]
        return min((due for due in found if due is not None), default=None)

    async def _is_settled(self) -> bool:
        moves = self._moves()
        if not all(worker.is_at_rest for worker in self._workers):
            return False
        if await self._next_due(self.clock.now() + _TICK) is not None:
            self._poke()
            return False
        for worker in self._workers:
            await worker.spans.drained()
        return all(worker.is_at_rest for worker in self._workers) and moves == self._moves()

    def _moves(self) -> int:
        return sum(worker.moves for worker in self._workers)

    # Life and death

    async def _start_workers(self) -> None:
        fate = self._fate
        fate.workers = []
        for client in self._clients:
            worker = MortalWorker(
                self._url,
                client.functions,
                app=client.app_id,
                project=1,
                clock=self.clock,
                ids=self._ids,
                chance=lambda: 0.0,
                options=replace(self._options, plans=client.plans),
            )
            worker.fate = fate
            await worker.start()
            fate.workers.append(worker)

    async def _stop_workers(self) -> None:
        for worker in self._workers:
            await (worker.bury() if worker.is_dead else worker.stop())

    async def _revive(self) -> None:
        if not self._fate.is_fulfilled:
            return
        dead = self._workers
        self._fate.dies_at = None
        for worker in dead:
            await worker.bury()
        await expire(await self._link.get(), [worker.id for worker in dead], until=self.clock.now())
        await self._start_workers()
        for worker in self._workers:
            await worker.stand_in()
