"""Whatever is written, counted, and cut short: hourly counts are those of the rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from assay.ids import floor_at, minted_at
from assay.store import flushes, rolling, rollups
from assay.store import runs as run_store
from assay.store.pool import connect
from assay.store.runs import RunFilter
from assay.store.turns import Flush
from hourly_totals import amounts, hour, totals, totals_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from assay.store.pool import FullConn

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
WORKER = UUID(int=7)
STARTED = (
    "SELECT assay.start_runs(%s, %s, NULL, ARRAY[ROW(%s::uuid, 'a', %s, 'function', 'v', %s::uuid,"
    " NULL, NULL, NULL, %s::uuid, NULL, %s::jsonb, 0)::assay.run_row], true)"
)
CLAIMED = "UPDATE assay.turns SET state = 1, worker_id = %s, generation = 1 WHERE run_id = %s"
RECORD = "SELECT assay.record_scores(%s, %s, %s, NULL)"
CATALOG = "INSERT INTO assay.catalogs (project_id, version) VALUES (%s, 1) ON CONFLICT DO NOTHING"
PROMISED = "SELECT assay.change_outcomes(%s, %s, %s, %s::uuid[])"
RUNS = "SELECT id, fn, status, started_at, ended_at FROM assay.runs WHERE project_id = %s"
SCORES = "SELECT run_id, name, value, is_bool FROM assay.scores_latest WHERE project_id = %s"
SESSIONS = "SELECT key, value FROM assay.run_sessions WHERE project_id = %s"
EXPOSED = "SELECT assay.expose(%s, %s)"
SERVED = (
    "SELECT run_id, variant FROM assay.exposures WHERE project_id = %s AND NOT forced AND unit > ''"
)
OUTCOMES = "SELECT run_id, name, state FROM assay.outcomes WHERE project_id = %s"
PROJECTS = count(100)


class Queue(NamedTuple):
    """A run is queued, whose id was minted so many hours ago."""

    fn: str
    hours_ago: int


class End(NamedTuple):
    """The n-th run ends."""

    run: int
    status: str


class Score(NamedTuple):
    """The n-th run, or a step of it, is scored: as of so many hours ago."""

    run: int
    name: str
    value: float
    is_bool: bool
    of_step: bool
    hours_ago: int


class Promise(NamedTuple):
    """The n-th run promises a score, or what it promised comes to a state."""

    run: int
    name: str
    state: str


class Serve(NamedTuple):
    """The n-th run is served a variant, as a unit or as none, by choice or by force."""

    run: int
    variant: str
    unit: str | None
    forced: bool


class Pass(NamedTuple):
    """Time goes by."""

    hours: int


class Transaction(NamedTuple):
    """Writes go together until they are committed, or are not."""

    is_kept: bool
    writes: list[Queue | End | Score | Promise | Serve]


class Roll(NamedTuple):
    """Hours are counted; at a statement of it something is written, at another it dies."""

    writes_at: int
    meanwhile: list[Queue | End | Score | Promise | Serve]
    dies_at: int | None


class Restart(NamedTuple):
    """All is to be counted again."""


Write = Queue | End | Score | Promise | Serve
Step = Write | Pass | Transaction | Roll | Restart

WRITES = st.one_of(
    st.builds(Queue, st.sampled_from("fg"), st.integers(0, 5)),
    st.builds(End, st.integers(0, 9), st.sampled_from(["completed", "failed", "cancelled"])),
    st.builds(
        Score,
        st.integers(0, 9),
        st.sampled_from("mn"),
        st.sampled_from([0.0, 1.0, 2.5]),
        is_bool=st.booleans(),
        of_step=st.booleans(),
        hours_ago=st.integers(-1, 3),
    ),
    st.builds(
        Promise,
        st.integers(0, 9),
        st.sampled_from("mn"),
        st.sampled_from(["pending", "observed", "timed_out"]),
    ),
    st.builds(
        Serve, st.integers(0, 9), st.sampled_from("uv"), st.sampled_from(["a", None]), st.booleans()
    ),
)
STEPS = st.one_of(
    WRITES,
    st.builds(Pass, st.integers(1, 5)),
    st.builds(Transaction, st.booleans(), st.lists(WRITES, max_size=3)),
    st.builds(
        Roll, st.integers(0, 20), st.lists(WRITES, max_size=2), st.none() | st.integers(0, 20)
    ),
    st.builds(Restart),
)


class Died(Exception):  # noqa: N818 - what it says
    """The process that counts is gone."""


class Interrupted:
    """A connection before whose n-th statement something happens."""

    def __init__(self, connection: FullConn, happens: Callable[[int], Awaitable[None]]) -> None:
        self._connection = connection
        self._happens = happens
        self._number = count()
        self.transaction = connection.transaction

    async def execute(self, query: str, values: object = None) -> Any:
        """Run a statement."""
        await self._happens(next(self._number))
        return await self._connection.execute(query, cast("Any", values))


class World:
    """A project, with one who writes, one who counts, and one who reads."""

    tables = ((RUNS, "id"), (SCORES, "run_id"), (OUTCOMES, "run_id"), (SERVED, "run_id"))

    def __init__(self, writer: FullConn, roller: FullConn, reader: FullConn) -> None:
        self.writer, self.roller, self.reader = writer, roller, reader
        self.project = next(PROJECTS)
        self.now = START
        self.ids = count(1)
        self.runs: list[UUID] = []
        self.live: set[UUID] = set()

    async def take(self, step: Step) -> None:
        """Do what a step says."""
        if isinstance(step, Pass):
            self.now += timedelta(hours=step.hours)
        elif isinstance(step, Restart):
            await rolling.restart(self.roller, project=self.project)
        elif isinstance(step, Roll):
            await self.roll(step)
        elif isinstance(step, Transaction):
            await self.together(step)
        else:
            await self.write(step)

    async def roll(self, step: Roll) -> None:
        """Count hours while others write."""

        async def happens(number: int) -> None:
            if number == step.dies_at:
                raise Died
            if number == step.writes_at:
                for write in step.meanwhile:
                    await self.write(write)

        connection = cast("FullConn", Interrupted(self.roller, happens))
        with contextlib.suppress(Died):
            await rolling.roll(connection, project=self.project, now=self.now, most=3)

    async def together(self, step: Transaction) -> None:
        """Write in one transaction while hours are counted."""
        runs, live = list(self.runs), set(self.live)
        async with self.writer.transaction(force_rollback=not step.is_kept):
            for write in step.writes:
                await self.write(write)
            await rolling.roll(self.roller, project=self.project, now=self.now, most=100)
            await self.check()
        if not step.is_kept:
            self.runs, self.live = runs, live

    async def write(self, write: Write) -> None:
        """Write as the engine does."""
        now = self.now.timestamp()
        if isinstance(write, Queue):
            run = self.minted(self.now - timedelta(hours=write.hours_ago))
            sessions = json.dumps({"odd": write.fn, write.fn: str(run.int % 2)})
            values = (self.project, now, run, write.fn, run, run, sessions)
            await self.writer.execute(STARTED, values)
            self.runs.append(run)
            self.live.add(run)
        elif self.runs:
            run = self.runs[write.run % len(self.runs)]
            if isinstance(write, Score):
                row = {
                    "id": self.minted(self.now),
                    "subject": "step" if write.of_step else "run",
                    "run": run,
                    "step": "s" if write.of_step else "",
                    "idx": 0,
                    "name": write.name,
                    "value": float(bool(write.value)) if write.is_bool else write.value,
                    "is_bool": write.is_bool,
                    "at": now - 3600 * write.hours_ago,
                    "source": "api",
                }
                rows = json.dumps([row], default=str)
                await self.writer.execute(RECORD, (self.project, now, rows))
            elif isinstance(write, Promise):
                # No two changes of an outcome are of one instant.
                self.now += timedelta(milliseconds=1)
                row = {"run": run, "defer": "d", "name": write.name, "scorer": "judge"}
                row |= {"state": write.state, "giver": WORKER, "is_last": True}
                rows = json.dumps([row], default=str)
                at = self.now.timestamp()
                await self.writer.execute(PROMISED, (self.project, at, rows, [WORKER]))
            elif isinstance(write, Serve):
                served = write._asdict() | {"experiment": "x", "idx": next(self.ids), "epoch": 1}
                rows = json.dumps([served | {"run": run, "at": now}], default=str)
                await self.writer.execute(EXPOSED, (self.project, rows))
            elif run in self.live:
                self.live.remove(run)
                await self.writer.execute(CLAIMED, (WORKER, run))
                flush = Flush()
                flush.turns = [{"run": run, "gen": 1}]
                flush.finish = [
                    {"run": run, "status": write.status, "output": None, "error": None}
                    | {"started": now - 0.25, "warnings": None}
                ]
                await flushes.commit(
                    self.writer, flush, project=self.project, worker=WORKER, now=now
                )

    async def check(self) -> None:
        """What is counted is what the rows say."""
        for since in (START - timedelta(days=1), START - timedelta(minutes=47)):
            await self.check_since(since)
        await self.check_lists()
        await self.check_keys()

    async def check_keys(self) -> None:
        """A session key has so many runs and sessions."""
        async with self.reader.transaction(), self.reader.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(SESSIONS, (self.project,))
            rows = [(row["key"], row["value"]) for row in await cursor.fetchall()]
            keys = await rollups.session_keys(cursor, project=self.project, limit=10)
        assert {one.key: one.run_count for one in keys.items} == Counter(key for key, _ in rows)
        assert {one.key: one.session_count for one in keys.items} == Counter(
            key for key, _ in set(rows)
        )

    async def check_lists(self) -> None:
        """Lists that counts help to find are those of the rows, page by page."""
        async with self.reader.transaction(), self.reader.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(RUNS, (self.project,))
            rows = sorted(await cursor.fetchall(), key=lambda row: row["id"], reverse=True)
            for fn, status in (("f", None), (None, "failed"), ("g", "completed")):
                filter_ = RunFilter(function=fn, status=status)
                found: list[UUID] = []
                after = None
                while True:
                    page = await run_store.page(
                        cursor, project=self.project, filter_=filter_, limit=2, after=after
                    )
                    found += [run.id for run in page.items]
                    if (after := page.next) is None:
                        break
                assert found == [
                    row["id"]
                    for row in rows
                    if fn in (None, row["fn"]) and status in (None, row["status"])
                ]

    async def check_since(self, since: datetime) -> None:
        """The same of runs whose ids were minted from an instant on."""
        counted = rollups.Counted(
            project=self.project, since=since, until=self.now + timedelta(days=1)
        )
        async with self.reader.transaction(), self.reader.cursor(row_factory=dict_row) as cursor:
            runs = await rollups.runs(cursor, counted)
            durations = await rollups.durations(cursor, counted)
            scores = await rollups.scores(cursor, counted, by_function=True)
            outcomes = await rollups.outcomes(cursor, counted)
            exposures = await rollups.exposures(cursor, counted, experiment="x")
            minutes = await rollups.runs(cursor, counted, per=timedelta(minutes=30))
            rows = {}
            for query, id_ in self.tables:
                await cursor.execute(query, (self.project,))
                found = await cursor.fetchall()
                rows[query] = [row for row in found if row[id_] >= floor_at(since)]
        assert amounts(runs, lambda one: (one.at, one.fn, one.status)) == Counter(
            (hour(row["id"]), row["fn"], row["status"] or "live") for row in rows[RUNS]
        )
        assert amounts(minutes, lambda one: one.at) == Counter(
            hour(row["id"]) + timedelta(minutes=minted_at(row["id"]).minute // 30 * 30)
            for row in rows[RUNS]
        )
        assert {one.total_us - 250_000 * one.n * (one.status != "live") for one in runs} <= {0}
        assert amounts(durations, lambda one: one.fn) == Counter(
            row["fn"] for row in rows[RUNS] if row["status"]
        )
        fn = {row["id"]: row["fn"] for row in rows[RUNS]}
        assert amounts(outcomes, lambda one: (one.fn, one.name, one.state)) == Counter(
            (fn[row["run_id"]], row["name"], row["state"]) for row in rows[OUTCOMES]
        )
        assert amounts(exposures, lambda one: (one.at, one.variant)) == Counter(
            (hour(row["run_id"]), row["variant"]) for row in rows[SERVED]
        )
        assert {(s.at, s.fn, s.name): totals_of(s) for s in scores} == totals(
            rows[RUNS], rows[SCORES]
        )

    def minted(self, at: datetime) -> UUID:
        """A new id of an instant."""
        return UUID(int=floor_at(at).int | next(self.ids))


async def live(url: str, steps: Sequence[Step]) -> None:
    """Take all steps, looking after each."""
    writer, roller, reader = [await connect(url) for _ in range(3)]
    async with writer, roller, reader:
        world = World(writer, roller, reader)
        await writer.execute(CATALOG, (world.project,))
        for step in steps:
            await world.take(step)
            await world.check()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([Queue("f", 0), Pass(5), Roll(99, [], None), End(0, "completed")])
@example([Queue("f", 0), Pass(5), Roll(7, [End(0, "failed")], None), Roll(99, [], None)])
@example([Queue("f", 0), Pass(5), Transaction(True, [Score(0, "m", 1.0, True, False, 0)])])
@example([Queue("f", 0), Pass(5), Roll(99, [], None), Serve(0, "u", "a", False)])
@example([Queue("f", 0), Pass(5), Promise(0, "m", "pending"), Roll(99, [], None), Pass(1)])
@given(st.lists(STEPS, max_size=14))
def test_counts_are_those_of_the_rows(assay_database: str, steps: list[Step]) -> None:
    """Late runs, late and corrected scores, writes amid counting, counting cut short."""
    asyncio.run(live(assay_database, steps))


@pytest.mark.parametrize(
    "late",
    [
        End(0, "failed"),
        Score(0, "m", 1.0, True, False, 0),
        Promise(0, "m", "observed"),
        Serve(0, "u", "a", False),
    ],
)
def test_a_change_before_any_statement_of_counting_is_seen(
    assay_database: str, late: Write
) -> None:
    """Either its mark stays, or it is counted."""
    for number in range(20):
        steps: list[Step] = [Queue("f", 0), Pass(5), Roll(number, [late], None), Queue("f", 0)]
        asyncio.run(live(assay_database, steps))
