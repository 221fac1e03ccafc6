"""A worker: claims due turns of one app's functions, runs them, and stands in for lost workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

import psycopg

from assay.engine.aftermath import Aftermath
from assay.engine.arrivals import Arrivals
from assay.engine.catalog import declarer, version_of
from assay.engine.choosing import Choosing
from assay.engine.chores import Chore, of_project
from assay.engine.committer import Committer
from assay.engine.connections import Connections
from assay.engine.holdings import Holdings
from assay.engine.ingest import Ingest
from assay.engine.lease import Lease
from assay.engine.live import LiveRun
from assay.engine.looking import LOOK_S, Looking
from assay.engine.options import WorkerOptions
from assay.engine.pace import Pace
from assay.engine.registration import Registration
from assay.engine.replay import AsyncReplay, SyncBodies, SyncReplay
from assay.engine.sweeping import Sweeper
from assay.engine.timers import Timer, Timers
from assay.engine.tracing import SpanWriter, install
from assay.sdk.port import current_journal
from assay.store import events as event_store
from assay.store import flushes, turns
from assay.store import workers as worker_store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import datetime
    from uuid import UUID

    from assay.clock import Clock, DatabaseClock
    from assay.engine.replay import Replay
    from assay.engine.running import Running
    from assay.engine.writes import Writes
    from assay.ids import Ids
    from assay.model.journal import Entry
    from assay.sdk.definitions import FunctionDefinition
    from assay.store.turns import Flush, Written

_log = logging.getLogger("assay.engine")
CLAIM = 200


class Worker:
    """Runs the functions of one app of one project. `start`, then `stop`."""

    _is_stopping = False

    def __init__(
        self,
        url: str,
        functions: Mapping[str, FunctionDefinition],
        *,
        app: str,
        project: int,
        clock: Clock,
        ids: Ids,
        chance: Callable[[], float],
        options: WorkerOptions | None = None,
        learns: DatabaseClock | None = None,
        listen_url: str | None = None,
    ) -> None:
        self.app = app
        self.project = project
        self.clock = clock
        self.ids = ids
        self.chance = chance
        self.options = options or WorkerOptions()
        self.max_steps = self.options.max_steps
        self.max_promises = self.options.max_promises
        self.max_output_bytes = self.options.max_output_bytes
        self.versions: Mapping[str, str] = {
            id_: version_of(definition) for id_, definition in functions.items()
        }
        self.threads: Executor = ThreadPoolExecutor(
            self.options.threads, thread_name_prefix="assay-step"
        )
        self._functions = functions
        self._bodies = SyncBodies()
        self._live: dict[UUID, LiveRun] = {}
        self._shapes: set[tuple[str, int]] = set()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers = Timers(clock)
        self._pace = self._make_pace()
        self._db = Connections(url, listen_url or url)
        arrivals = Arrivals(self._db.looks, project=project, clock=clock)
        ingest = Ingest(self._db.looks, project=project, clock=clock, ids=ids)
        self._aftermath = Aftermath(
            self._db.looks, arrivals, ingest, project=project, app=app, wake=self._wake.set
        )
        self._looking = Looking(self._db.open, project=project, clock=clock)
        self._looks = Chore("looking at experiments", self._looking.take, every_s=LOOK_S)
        self._by = declarer(app, self.versions, self.options)
        self.choosing = Choosing(self._db.looks, project=project, by=self._by, clock=clock)
        self._holdings = Holdings(
            self._db.claims, project=project, clock=clock, follow=self._aftermath.add
        )
        self.committer = Committer(
            self._commit,
            prepare=self._prepare,
            follow=self._aftermath.add,
            doubt=self._holdings.doubt,
        )
        self.spans = SpanWriter(self._db.spans, project=project)
        self._lease = self._make_lease(url, learns)
        self._registration = self._make_registration()
        self._sweeper = self._make_sweeper()

    def _make_pace(self) -> Pace:
        return Pace(
            self._wake,
            options=self.options,
            clock=self.clock,
            flag=self._flag,
            next_due=self._next_due,
        )

    def _make_lease(self, url: str, learns: DatabaseClock | None) -> Lease:
        loop = asyncio.get_running_loop()
        return Lease(
            url,
            project=self.project,
            lease_s=self.options.lease_s,
            heartbeat_s=self.options.heartbeat_s,
            ids=self.ids,
            clock=learns,
            on_lost=lambda: loop.call_soon_threadsafe(self._lost),
        )

    def _make_registration(self) -> Registration:
        return Registration(
            self._db.open,
            self._functions,
            project=self.project,
            source=self.options.source,
            clock=self.clock,
            plans=self.options.plans,
            by=self._by,
        )

    def _make_sweeper(self) -> Sweeper:
        project, clock = self.project, self.clock
        return Sweeper(
            Ingest(self._db.sweeps, project=project, clock=clock, ids=self.ids),
            Arrivals(self._db.sweeps, project=project, clock=clock),
            project=project,
            clock=clock,
            lease_s=self.options.lease_s,
            on_forgotten=self._registration.retire,
        )

    @property
    def id(self) -> UUID:
        """The worker's id; another one after it was taken for lost."""
        return self._lease.id

    # Host of live runs

    def may_act(self, lease: UUID) -> bool:
        """Whether the lease of this id still holds: a later one does not count."""
        return lease == self._lease.id and self._lease.holds()

    async def unknown(self, runs: set[UUID]) -> set[UUID]:
        """Those that are no runs of the project; asked until the database answers."""
        return runs - await self._db.runs_exist(runs, project=self.project)

    def replay(self, run: Running, entries: Sequence[Entry]) -> Replay:
        """A replay of the run's body, in a context that carries its journal."""
        context = copy_context()
        context.run(current_journal.set, run.journal)
        start = run.definition.start
        if run.definition.is_async:
            return AsyncReplay(
                lambda: start(run.journal),  # type: ignore[arg-type,return-value]  # by is_async
                run_id=run.id,
                entries=entries,
                context=context,
            )
        return SyncReplay(
            lambda: start(run.journal),  # type: ignore[arg-type,return-value]  # by is_async
            run_id=run.id,
            entries=entries,
            context=context,
            threads=self._bodies,
        )

    def call_at(self, at: float, call: Callable[[], None]) -> Timer:
        """Call at an instant of the clock."""
        return self._timers.add(at, call)

    def left(self, run: Running, *, dropped: bool, parked: bool) -> None:
        """A run is no longer live here; a dropped one is given back, a parked one may fall due."""
        was_full = len(self._live) >= self.options.concurrency
        if self._live.get(run.id) is run:
            del self._live[run.id]
        if dropped:
            self._holdings.drop(run.id, run.generation)
        if was_full or dropped or parked or self._is_stopping:
            self._wake.set()

    # Life

    async def start(self) -> None:
        """Connect, register the functions and begin to claim."""
        serves = await self._registration.register()
        await asyncio.to_thread(self._lease.start, serves)
        await self._registration.retire()
        self._db.listen(event_store.channel(self.id), self._hinted)
        install()
        self._spawn(self.committer.run())
        self._spawn(self.spans.run())
        self._spawn(self._aftermath.run())
        self._spawn(self._claim_for_ever())
        self._spawn(self._maintain())
        self._spawn(self._looks.run())
        for chore in of_project(self._db.open, project=self.project, clock=self.clock):
            self._spawn(chore.run())

    async def stop(self) -> None:
        """Claim no more, let steps in flight end for a while, give back what is left."""
        self._is_stopping = True
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.grace_s):
                while self._live:
                    self._wake.clear()
                    await self._wake.wait()
        for run in list(self._live.values()):
            run.lose()
        await self.committer.drained()
        await self.spans.drained()
        with contextlib.suppress(psycopg.Error):
            await self._holdings.settle(self.id, self._live)
        is_clean = await self._aftermath.drained(self.options.grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._timers.close()
        is_clean = await self._holdings.release(self.id) and is_clean
        await asyncio.to_thread(self._lease.stop, leaves=is_clean)
        with contextlib.suppress(psycopg.Error):
            # Whoever is left does it at the next registration.
            await self._registration.retire()
        await self._db.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self._bodies.close()

    def poke(self) -> None:
        """Look at once: time has moved, or something was written."""
        self._timers.poke()
        self._wake.set()
        self._looks.poke()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error(
                "a part of the worker ended: %s", task.exception(), exc_info=task.exception()
            )
            self.options.on_broken()

    # Claiming

    async def _claim_for_ever(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            try:
                claimed = await self._claim()
                self._db.works("a claim")
                if claimed < CLAIM:
                    await self._pace.pause(claimed, len(self._live))
            except psycopg.Error as error:
                self._db.failed("a claim", error)
                self._pace.forget()
                await asyncio.sleep(min(self.options.idle_s, 0.2))

    async def _claim(self) -> int:
        await self._holdings.settle(self.id, self._live)
        room = min(CLAIM, self.options.concurrency - len(self._live))
        if room <= 0 or not self._lease.holds():
            return 0
        lease = self.id
        claimed = await turns.claim(
            await self._db.claims.get(),
            project=self.project,
            app=self.app,
            fns=list(self._functions),
            worker=lease,
            now=self.clock.time(),
            limit=room,
        )
        for turn in claimed:
            run = LiveRun(turn, self._functions[turn.fn], self, lease=lease)
            self._live[run.id] = run
            try:
                run.begin()
            except Exception as error:  # noqa: BLE001 - one run must not end the claims of all
                run.fault(error)
        return len(claimed)

    async def _flag(self, idle: bool) -> None:  # noqa: FBT001 - what is flagged
        await worker_store.set_idle(await self._db.claims.get(), self.id, idle=idle)

    async def _next_due(self, horizon: datetime) -> datetime | None:
        return await turns.next_due(
            await self._db.claims.get(),
            project=self.project,
            app=self.app,
            fns=list(self._functions),
            horizon=horizon,
        )

    def _hinted(self, what: str) -> None:
        self._wake.set()
        if self._live and what != "due":
            self._spawn(self._look_soon())

    async def _look_soon(self) -> None:
        # What is not seen now is seen when standing in.
        with contextlib.suppress(psycopg.Error):
            await self._look_at_live()

    async def _look_at_live(self) -> None:
        """Tell live runs of what was resolved or cancelled meanwhile."""
        if not self._live:
            return
        for run_id, generation, wakes, cancelled in await turns.live(
            await self._db.claims.get(), project=self.project, runs=list(self._live)
        ):
            run = self._live.get(run_id)
            if run is not None and run.generation == generation:
                try:
                    run.look(wakes, cancelled=cancelled)
                except Exception as error:  # noqa: BLE001 - one run must not end the looks of all
                    run.fault(error)

    def _lost(self) -> None:
        """The worker was taken for lost: its turns are others', save those claimed since."""
        for run in list(self._live.values()):
            if run.lease != self.id:
                run.lose()
        self._pace.forget()
        self._db.listen(event_store.channel(self.id), self._hinted)

    # Committing

    async def _prepare(self, batch: Sequence[Writes]) -> None:
        for writes in batch:
            for name, shape, paths in writes.shapes:
                if (name, shape) not in self._shapes:
                    await event_store.add_shape(
                        await self._db.flushes.get(),
                        project=self.project,
                        name=name,
                        shape=shape,
                        paths=paths,
                    )
                    self._shapes.add((name, shape))

    async def _commit(self, flush: Flush) -> dict[UUID, Written]:
        return await flushes.commit(
            await self._db.flushes.get(),
            flush,
            project=self.project,
            worker=self.id,
            now=self.clock.time(),
        )

    # Standing in

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(min(self.options.heartbeat_s, 1.0))
            try:
                await self._look_at_live()
                if await self._sweeper.sweep(await self._db.sweeps.get()):
                    self._wake.set()
                self._db.works("standing in for lost workers")
            except psycopg.Error as error:
                self._db.failed("standing in for lost workers", error)
