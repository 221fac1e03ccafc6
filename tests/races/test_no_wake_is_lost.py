"""No wake-up is lost, in whatever order the statements of all who take part may come."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from assay.clock import ManualClock
from assay.engine.arrivals import Arrivals
from assay.engine.ingest import Ingest
from assay.engine.sweeping import Sweeper
from assay.engine.waits import NEVER, event_wait, look
from assay.ids import Ids
from assay.model.events import NewEvent
from assay.sdk.port import EventWait
from assay.store import events as event_store
from assay.store import flushes, turns
from assay.store.pool import Link, connect
from assay.store.turns import UNTOUCHED, Flush
from races.test_wakes import STEP, waiter
from races.world import LEASE_S, PROJECT, OneConnection, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from assay.store.pool import AsyncConn
    from assay.store.turns import ClaimedTurn, Row

TIMEOUT_S = 60.0


class Actor:
    """One who does a statement each time it is told to."""

    def __init__(self) -> None:
        self._go = asyncio.Semaphore(0)
        self._is_there = asyncio.Event()
        self._task: asyncio.Task[object] | None = None

    def start(self, work: Awaitable[object]) -> None:
        """Begin; the first statement waits to be told."""
        self._task = asyncio.ensure_future(work)

    async def pause(self) -> None:
        """Wait to be told."""
        self._is_there.set()
        await self._go.acquire()

    async def step(self) -> bool:
        """Have it do its next statement; whether there may be more."""
        assert self._task is not None
        if self._task.done():
            return False
        self._is_there.clear()
        self._go.release()
        there = asyncio.ensure_future(self._is_there.wait())
        await asyncio.wait({self._task, there}, return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        if self._task.done():
            self._task.result()
        return True


class SteppedLink(Link):
    """A link whose user is an actor: each statement asks for the connection."""

    def __init__(self, actor: Actor, connection: AsyncConn) -> None:
        super().__init__("")
        self._actor = actor
        self._given = connection

    @override
    async def get(self) -> AsyncConn:
        await self._actor.pause()
        return self._given


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens: the order of statements, and who takes part."""

    order: list[int]
    senders: int
    parks_at_once: bool
    times_out: bool
    is_taken_over: bool


PLANS = st.builds(
    Plan,
    order=st.lists(st.integers(0, 11), max_size=40),
    senders=st.integers(1, 2),
    parks_at_once=st.booleans(),
    times_out=st.booleans(),
    is_taken_over=st.booleans(),
)


class Scene:
    """One run that registers a wait, and all that may come between."""

    def __init__(self, url: str, plan: Plan, stack: AsyncExitStack) -> None:
        self.plan = plan
        self.clock = ManualClock(datetime.now(UTC))
        self.ids = Ids(self.clock)
        self._url = url
        self._stack = stack
        self._since = self.clock.time()

    async def connect(self) -> AsyncConn:
        connection = await connect(self._url)
        self._stack.push_async_callback(connection.close)
        return connection

    async def play(self) -> tuple[list[str], int, bool]:
        """The wait's memos, how many events the run took, and whether the wait was committed."""
        own = await self.connect()
        self.own = own
        (self.run,) = (await self._ingest(OneConnection(own)).send([self._event("go")])).run_ids
        self.worker = self.ids.new()
        await own.execute(
            "INSERT INTO assay.workers (id, project_id, app, host, pid, started_at, lease_until)"
            " VALUES (%s, 1, 'races', '', 0, now(), now() + interval '1 hour')",
            [self.worker],
        )
        (turn,) = await self._claim(self.worker)
        actors = [await self._actor(lambda _, link: self._register(link, turn))]
        for _ in range(self.plan.senders):
            event = self._event("news")
            send = partial(self._send, event)
            actors.append(await self._actor(send))
        if self.plan.times_out:
            actors.append(await self._actor(self._time_out))
        if self.plan.is_taken_over:
            actors.append(await self._actor(self._take_over))
        for choice in self.plan.order:
            await actors[choice % len(actors)].step()
        for actor in actors:
            while await actor.step():
                pass
        await self._settle()
        return await self._outcome()

    async def _actor(self, work: Callable[[Actor, SteppedLink], Awaitable[object]]) -> Actor:
        actor = Actor()
        actor.start(work(actor, SteppedLink(actor, await self.connect())))
        await asyncio.sleep(0)
        return actor

    def _event(self, name: str) -> NewEvent:
        return NewEvent(id=self.ids.new(), name=name, data="{}", ts=self.clock.now())

    async def _send(self, event: NewEvent, _: Actor, link: SteppedLink) -> None:
        await self._ingest(link).send([event])

    def _ingest(self, link: Link) -> Ingest:
        return Ingest(link, project=PROJECT, clock=self.clock, ids=self.ids)

    async def _claim(self, worker: UUID) -> list[ClaimedTurn]:
        return await turns.claim(
            self.own,
            project=PROJECT,
            app="races",
            fns=["f"],
            worker=worker,
            now=self.clock.time(),
            limit=10,
        )

    async def _register(self, link: SteppedLink, turn: ClaimedTurn) -> None:
        """What a worker does for a body that asks for a wait; a zombie once it is taken over."""
        head: Row = {"run": self.run, "gen": turn.generation}
        columns, looking, (name, shape, paths) = event_wait(
            EventWait(event="news", timeout_s=1), {}, run=self.run, step=STEP, since=self._since
        )
        await event_store.add_shape(
            await link.get(), project=PROJECT, name=name, shape=shape, paths=paths
        )
        row: Row = {"step": STEP, "kind": "wait", "name": "w", "idx": 0, "span": 1}
        row |= {"registered": self._since, "expires": self._since + TIMEOUT_S}
        flush = Flush(turns=[head], waits=[head | columns | row])
        if self.plan.parks_at_once:
            flush.park.append(head | self._park(turn.wakes))
        try:
            wakes = await self._flush(link, flush)
            arrivals = Arrivals(link, project=PROJECT, clock=self.clock)
            await look(await link.get(), arrivals, [looking], project=PROJECT)
            if not self.plan.parks_at_once:
                if wakes != turn.wakes:
                    wakes = await self._flush(link, Flush(turns=[head], collect=[head]))
                park = Flush(turns=[head], park=[head | self._park(wakes)])
                await self._flush(link, park)
        except flushes.TurnsLostError:
            return

    def _park(self, wakes: int) -> Row:
        return {"wakes": wakes, "due": self._since + TIMEOUT_S}

    async def _flush(self, link: SteppedLink, flush: Flush) -> int:
        told = await flushes.commit(
            await link.get(), flush, project=PROJECT, worker=self.worker, now=self.clock.time()
        )
        return told.get(self.run, UNTOUCHED).wakes

    async def _time_out(self, actor: Actor, _: SteppedLink) -> None:
        await actor.pause()
        self.clock.advance(timedelta(seconds=TIMEOUT_S + 1))

    async def _take_over(self, actor: Actor, _: SteppedLink) -> None:
        connection = await self.connect()
        link = SteppedLink(actor, connection)
        await actor.pause()
        await connection.execute("UPDATE assay.workers SET lost = true WHERE NOT lost")
        await Sweeper(
            self._ingest(link),
            Arrivals(link, project=PROJECT, clock=self.clock),
            project=PROJECT,
            clock=self.clock,
            lease_s=LEASE_S,
        ).sweep(connection)

    async def _settle(self) -> None:
        """Have another worker run what is due until nothing is."""
        worker = self.ids.new()
        while claimed := await self._claim(worker):
            for turn in claimed:
                if turn.waits:
                    head: Row = {"run": turn.run_id, "gen": turn.generation}
                    due = min(expires for _, expires, _ in turn.waits)
                    park = head | {"wakes": turn.wakes, "due": min(due, NEVER)}
                    await flushes.commit(
                        self.own,
                        Flush(turns=[head], park=[park]),
                        project=PROJECT,
                        worker=worker,
                        now=self.clock.time(),
                    )

    async def _outcome(self) -> tuple[list[str], int, bool]:
        found = await self.own.execute(
            "SELECT output FROM assay.journal WHERE run_id = %s", [self.run]
        )
        memos = [row[0] for row in await found.fetchall()]
        found = await self.own.execute(
            "SELECT count(*) FROM assay.run_events WHERE run_id = %s", [self.run]
        )
        ((taken,),) = await found.fetchall()
        found = await self.own.execute("SELECT run_id FROM assay.waits")
        is_open = bool(await found.fetchall())
        for table in ("turns", "waits", "workers"):
            await self.own.execute(f"DELETE FROM assay.{table}")
        return memos, taken, is_open


async def play(url: str, plan: Plan) -> tuple[list[str], int, bool]:
    """Play a plan on a database."""
    async with AsyncExitStack() as stack:
        return await Scene(url, plan, stack).play()


@pytest.fixture
def scene_database(assay_database: str) -> str:
    """A database that knows the function."""

    async def register() -> None:
        async with AsyncExitStack() as stack:
            await (await World.made(assay_database, stack)).register(waiter())

    asyncio.run(register())
    return assay_database


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=PLANS)
def test_no_wake_is_lost(scene_database: str, plan: Plan) -> None:
    """A wait that was committed ends once: by one event, or by its timeout if its time has come."""
    memos, taken, is_open = asyncio.run(play(scene_database, plan))

    assert not is_open
    assert len(memos) <= 1
    assert taken == sum(memo != "null" for memo in memos)
    if "null" in memos:
        assert plan.times_out
    if not plan.is_taken_over:
        assert len(memos) == 1
