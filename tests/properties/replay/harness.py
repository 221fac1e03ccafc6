"""A world for replays: bodies that ask, steps that answer in any order, crashes and parkings."""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from assay.engine.replay import (
    AsyncReplay,
    Finished,
    Replay,
    ReplayLimits,
    SyncBodies,
    SyncReplay,
    Turn,
)
from assay.errors import Failure, StepError
from assay.ids import step_key
from assay.model.journal import Entry, Kind, Memo
from assay.sdk.port import Operation, StepCall

if TYPE_CHECKING:
    from types import TracebackType

    from assay.engine.replay import Asked

RUN = uuid.UUID(int=0x0190_0000_0000_7000_8000_1234_5678_9ABC)
THREADS = SyncBodies()


@dataclass(slots=True)
class Life:
    """What a body does between its start and its parking or end.

    Attributes:
        log: what the body noted, for comparison.
        asked: what it asked for, in order: the step's name and the place in the program.
    """

    replay: Replay | None = None
    log: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def snapshot(self) -> tuple[list[str], list[tuple[str, str]]]:
        """A copy of log and asks."""
        return self.log.copy(), self.asked.copy()


living: ContextVar[Life] = ContextVar("living")


def operation(name: str, site: str = "", kind: Kind = Kind.STEP) -> Operation:
    """A step that, where it is executed, answers with the site that asked for it."""
    return Operation(kind=kind, name=name, request=StepCall(call=lambda: site, is_async=False))


def note(text: str) -> None:
    """Put a line in the log of the life that calls."""
    living.get().log.append(text)


def site_of(asked: Operation) -> str:
    """The place in the program that asked."""
    assert isinstance(asked.request, StepCall)
    return str(asked.request.call())


def value_of(name: str, site: str, memo: Memo) -> str:
    """What the asker gets, once it is sure that it is the answer to what it asked."""
    if memo.failure is not None:
        raise StepError(name, memo.failure)
    output = memo.output or ""
    if site and output.partition("=")[0] != site:
        note(f"CROSSED {site} got {output}")
    return output


class step(Coroutine[object, object, str]):  # noqa: N801 - reads like the call it stands for
    """Asks when first stepped, as everything that `ctx` gives does."""

    __slots__ = ("_asked", "_operation", "_site")

    def __init__(self, name: str, site: str = "", kind: Kind = Kind.STEP) -> None:
        self._operation = operation(name, site, kind)
        self._site = site
        self._asked: Generator[object, None, Memo] | None = None

    @override
    def send(self, value: object) -> object:
        if self._asked is None:
            life = living.get()
            life.asked.append((self._operation.name, self._site))
            assert life.replay is not None
            self._asked = life.replay.ask(self._operation).__await__()
        return self._advance(lambda asked: asked.send(None))

    @override
    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> object:
        error = typ if isinstance(typ, BaseException) else typ()
        if self._asked is None:
            raise error
        return self._advance(lambda asked: asked.throw(error))

    @override
    def close(self) -> None:
        if self._asked is not None:
            self._asked.close()

    @override
    def __await__(self) -> Generator[object, object, str]:
        return self

    def __iter__(self) -> step:
        return self

    def __next__(self) -> object:
        return self.send(None)

    def _advance(self, go: Callable[[Generator[object, None, Memo]], object]) -> object:
        assert self._asked is not None
        try:
            return go(self._asked)
        except StopIteration as end:
            memo = end.value
        raise StopIteration(value_of(self._operation.name, self._site, memo))


def call(name: str, site: str = "") -> str:
    """The same for sync bodies."""
    life = living.get()
    life.asked.append((name, site))
    assert life.replay is not None
    return value_of(name, site, life.replay.call(operation(name, site)))


def parallel(*branches: Callable[[], object]) -> list[object]:
    """`ctx.parallel` of sync bodies."""
    replay = living.get().replay
    assert replay is not None
    return replay.parallel(branches)


Body = Callable[[], Coroutine[object, object, str]]


def start(
    body: Body,
    entries: Sequence[Entry] = (),
    *,
    run_id: uuid.UUID = RUN,
    limits: ReplayLimits | None = None,
    context: contextvars.Context | None = None,
) -> tuple[AsyncReplay, Life]:
    """A replay of a coroutine and what it lives through."""
    context = context or contextvars.copy_context()
    life = Life()
    context.run(living.set, life)
    replay = AsyncReplay(body, run_id=run_id, entries=entries, context=context, limits=limits)
    life.replay = replay
    return replay, life


def start_sync(
    body: Callable[[], str], entries: Sequence[Entry] = (), *, limits: ReplayLimits | None = None
) -> tuple[SyncReplay, Life]:
    """A replay of a plain function and what it lives through."""
    context = contextvars.copy_context()
    life = Life()
    context.run(living.set, life)
    replay = SyncReplay(
        body, run_id=RUN, entries=entries, context=context, limits=limits, threads=THREADS
    )
    life.replay = replay
    return replay, life


def entry(name: str, index: int = 0, *, seq: int = 1, output: str = "1") -> Entry:
    """A committed step."""
    return Entry(
        step=step_key(name, index),
        seq=seq,
        kind=Kind.STEP,
        name=name,
        index=index,
        memo=Memo(output=output),
    )


def entries_of(*names: str) -> list[Entry]:
    """A journal of steps, in this order; a repeated name is its next use."""
    return [
        entry(name, names[:place].count(name), seq=place + 1) for place, name in enumerate(names)
    ]


def commit(asked: Asked, seq: int) -> Entry:
    """Execute what was asked: the site's own answer, or its failure where the name says so."""
    name = asked.operation.name
    site = site_of(asked.operation)
    failed = Failure(type="Boom", bases=("Boom", "Exception"), message=site)
    return Entry(
        step=asked.key,
        seq=seq,
        kind=asked.operation.kind,
        name=name,
        index=asked.index,
        memo=Memo(failure=failed) if name.startswith("fail") else Memo(output=f"{site}={seq}"),
    )


def outcome_of(finished: Finished) -> str:
    """How a run ended, without what differs by process."""
    if finished.failure is None:
        return f"output {finished.output}"
    failure = finished.failure
    return f"{failure.type} {failure.code} {failure.retriable} {failure.message}"


def finish(body: Body, *names: str, limits: ReplayLimits | None = None) -> Finished:
    """How a body ends that finds these steps in its journal."""
    replay, _ = start(body, entries_of(*names), limits=limits)
    turn = replay.begin()
    replay.unwind()
    assert not replay.leaked
    assert turn.finished is not None
    return turn.finished


Starter = Callable[[Sequence[Entry]], tuple[Replay, Life]]


class World:
    """Runs one body to its end through lives that a schedule of numbers cuts short.

    Each number picks what is committed next; every so often the process crashes there, or parks
    and finds several waits resolved. All lives must go through the same states.
    """

    def __init__(self, begin_life: Starter, schedule: Sequence[int]) -> None:
        self.entries: list[Entry] = []
        self.outcome = ""
        self._begin_life = begin_life
        self._schedule = schedule
        self._position = 0
        self._open: dict[uuid.UUID, Asked] = {}

    def run(self) -> Life:
        """To the end; gives the last life."""
        replay, life = self._begin_life(self.entries.copy())
        turn = replay.begin()
        self._see(turn)
        while turn.finished is None:
            choice = self._choose()
            if choice % 5 == 0:
                replay, life, turn = self._die_and_rise(replay, life, choice)
            else:
                turn = replay.deliver(self._commit_one(choice))
            self._see(turn)
        self.outcome = outcome_of(turn.finished)
        end = life.snapshot()
        replay.unwind()
        assert not replay.leaked
        assert not replay.unasked
        self._check_replay(end)
        return life

    def _choose(self) -> int:
        self._position += 1
        # Past its end: commit the oldest, so that every run ends.
        left = self._position <= len(self._schedule)
        return self._schedule[self._position - 1] if left else 1

    def _commit_one(self, choice: int) -> Entry:
        key = list(self._open)[choice // 5 % len(self._open)]
        committed = commit(self._open.pop(key), len(self.entries) + 1)
        self.entries.append(committed)
        return committed

    def _see(self, turn: Turn) -> None:
        for asked in turn.asks:
            assert asked.key not in self._open
            self._open[asked.key] = asked
        if turn.finished is None:
            # A cancelled step goes on and commits all the same; nobody gets it.
            assert turn.waiting <= self._open.keys()

    def _die_and_rise(self, replay: Replay, life: Life, choice: int) -> tuple[Replay, Life, Turn]:
        before, waiting = life.snapshot(), set(self._open)
        replay.unwind()
        assert not replay.leaked
        resolved = [self._commit_one(n) for n in range(choice // 5 % 3) if self._open]
        replay, risen = self._begin_life(self.entries.copy())
        turn = replay.begin()
        log, asked = risen.snapshot()
        assert before == (log[: len(before[0])], asked[: len(before[1])])
        if not resolved:
            assert before == (log, asked)
            assert {each.key for each in turn.asks} <= waiting
        # What was cancelled died with its worker: nobody commits it any more.
        self._open.clear()
        return replay, risen, turn

    def _check_replay(self, end: tuple[list[str], list[tuple[str, str]]]) -> None:
        replay, life = self._begin_life(self.entries.copy())
        turn = replay.begin()
        assert turn.finished is not None
        assert self.outcome == outcome_of(turn.finished)
        assert end == life.snapshot()
        assert not any(line.startswith("CROSSED") for line in life.log)
        replay.unwind()
