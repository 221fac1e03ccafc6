"""Replays bodies that are plain functions, in threads of which exactly one runs at a time.

A baton goes round between the thread that pumps and the branches of the body: whoever has to wait
passes it on, to the next branch that can go on, else, once the journal is drained, back home.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import deque
from contextvars import Context, copy_context
from typing import TYPE_CHECKING

from typing_extensions import override

from assay.engine.replay import watch
from assay.engine.replay.failures import describe
from assay.engine.replay.replay import Place, Replay
from assay.engine.replay.turns import Finished
from assay.errors import AssayError, Parked

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from assay.engine.replay.pool import SyncBodies
    from assay.engine.replay.turns import ReplayLimits
    from assay.model.journal import Entry, Memo
    from assay.sdk.port import Operation

_RAISES = 50
_leaks: list[SyncReplay] = []
"""Bodies that did not end: their threads may still come back and ask."""


class Branch:
    """A function of the body with a thread of its own: the body itself, or one of a `parallel`.

    Attributes:
        pending: its branches that have not ended.
        raises: how often it was sent away with `Parked`.
    """

    __slots__ = (
        "context",
        "error",
        "has_ended",
        "has_started",
        "parent",
        "pending",
        "raises",
        "result",
        "thread",
        "turn",
        "work",
    )

    def __init__(self, work: Callable[[], object], context: Context, parent: Branch | None) -> None:
        self.work = work
        self.context = context
        self.parent = parent
        self.turn = threading.Lock()
        self.turn.acquire()
        self.thread = 0
        self.pending = self.raises = 0
        self.has_started = self.has_ended = False
        self.result: object = None
        self.error: BaseException | None = None


class BranchAsk:
    """What a branch waits for in `call`."""

    __slots__ = ("asked_in", "branch", "error", "key", "memo", "operation", "place", "runnable")
    place: Place

    def __init__(self, operation: Operation, branch: Branch, runnable: deque[Branch]) -> None:
        self.operation = operation
        self.branch = branch
        self.runnable = runnable
        self.asked_in = copy_context()
        self.key: UUID | None = None
        self.memo: Memo | None = None
        self.error: BaseException | None = None

    def set_result(self, memo: Memo, /) -> None:
        """Answer it."""
        self.memo = memo
        self.runnable.append(self.branch)

    def set_exception(self, error: BaseException, /) -> None:
        """Raise it from `call`."""
        self.error = error
        self.runnable.append(self.branch)

    def done(self) -> bool:
        """Whether it is answered."""
        return self.memo is not None or self.error is not None


class SyncReplay(Replay):
    """Replays a body that is a plain function; the calling thread waits while it runs."""

    def __init__(
        self,
        body: Callable[[], str],
        *,
        run_id: UUID,
        entries: Sequence[Entry],
        context: Context,
        threads: SyncBodies,
        limits: ReplayLimits | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(
            run_id=run_id, entries=entries, context=context, limits=limits, monotonic=monotonic
        )
        self._body = body
        self._threads = threads
        self._home = threading.Lock()
        self._home.acquire()
        self._main: Branch | None = None
        self._running: Branch | None = None
        self._runnable: deque[Branch] = deque()
        self._branches = 0
        self._is_given_up = False

    @override
    def ask(self, operation: Operation) -> Future[Memo]:
        raise AssayError(
            f"step {operation.name!r}: a sync function awaited its context",
            code="ctx_elsewhere",
            hint="call it without await on assay.SyncContext",
        )

    @override
    def call(self, operation: Operation) -> Memo:
        branch = self._here(f"step {operation.name!r}")
        ask = BranchAsk(operation, branch, self._runnable)
        self._register(ask)
        self._wait(branch)
        if ask.memo is None:
            raise ask.error or Parked
        return ask.memo

    @override
    def parallel(self, branches: Sequence[Callable[[], object]]) -> list[object]:
        branch = self._here("parallel")
        if self._branches + len(branches) > self._limits.branches:
            raise AssayError(
                f"a sync function holds a thread for each branch, {self._limits.branches} at most",
                code="too_many_branches",
                hint="use an async function, whose branches cost no threads",
            )
        if not branches:
            return []
        children = [Branch(work, copy_context(), branch) for work in branches]
        branch.pending = len(children)
        self._branches += len(children)
        self._runnable.extend(children)
        self._wait(branch)
        errors = [child.error for child in children if child.error is not None]
        if errors:
            raise next((each for each in errors if isinstance(each, Parked)), errors[0])
        return [child.result for child in children]

    @override
    def unwind(self) -> None:
        if self.is_unwinding:
            return
        self.is_unwinding = True
        main = self._main
        if main is None:
            return
        if not main.has_ended and not self._is_given_up:
            for ask in list(self._open.values()):
                ask.set_exception(Parked())
            self._run_branches()
        if not main.has_ended:
            self.leaked = f"a body does not end when its run is parked: {self._stuck_at()}"
            _leaks.append(self)
            return
        self._main = None
        self._forget()

    @override
    def _play(self, first: Callable[[], None]) -> None:
        first()
        self._run_branches()
        if self._is_given_up:
            self._refused = AssayError(
                f"the body has been running for {self._limits.seconds_per_pump:g} s "
                f"without asking; {self._stuck_at()}",
                code="body_never_settles",
                hint="put what takes long into a step: ctx.step.run(id, function)",
            )

    @override
    def _start(self) -> None:
        self._main = Branch(self._body, self._context, None)
        self._runnable.append(self._main)

    @override
    def _outcome(self) -> Finished | None:
        main = self._main
        if main is None or not main.has_ended:
            return None
        if main.error is not None:
            return Finished(None, describe(main.error), main.error)
        return Finished(str(main.result), None, None)

    @override
    def _stuck_at(self) -> str:
        branch = self._running or self._main
        frame = sys._current_frames().get(branch.thread) if branch else None  # noqa: SLF001
        if frame is None:
            return "its thread is gone"
        line = traceback.extract_stack(frame)[-1]
        return f"it is at {line.filename}:{line.lineno} in {line.name}"

    def _run_branches(self) -> None:
        """Give the baton away, if there is anyone to take it, until it comes back."""
        following = self._next()
        if following is None:
            return
        self._resume(following)
        if not self._home.acquire(timeout=self._limits.seconds_per_pump):
            self._is_given_up = True

    def _next(self) -> Branch | None:
        """Who goes on; None is the thread that pumps."""
        runnable = self._runnable
        entries = self._entries
        while not runnable:
            is_over = self.is_unwinding or self._refused is not None
            if is_over or self._main is None or self._main.has_ended:
                return None
            if self._late:
                self._answer_late()
            elif self._position < len(entries):
                self._position += 1
                self._answer(entries[self._position - 1])
            else:
                return None
        return runnable.popleft()

    def _resume(self, branch: Branch) -> None:
        if branch.has_started:
            branch.turn.release()
        else:
            branch.has_started = True
            self._threads.run(lambda: self._live(branch))

    def _pass_on(self, following: Branch | None) -> None:
        self._running = None
        watch.ended(threading.get_ident())
        if following is not None:
            self._resume(following)
        elif not self._is_given_up:
            self._home.release()

    def _take(self, branch: Branch) -> None:
        self._running = branch
        watch.started(self._run_id, branch.thread, self._monotonic())

    def _wait(self, branch: Branch) -> None:
        """Let others run until this branch can go on; a hit is served without leaving it."""
        following = self._next()
        if following is not branch:
            self._pass_on(following)
            branch.turn.acquire()
            self._take(branch)

    def _live(self, branch: Branch) -> None:
        """All that a branch does in its thread."""
        branch.thread = threading.get_ident()
        self._take(branch)
        try:
            branch.result = branch.context.run(branch.work)
        except BaseException as error:  # noqa: BLE001 - whatever ends a body fails its run only
            branch.error = error
        branch.has_ended = True
        parent = branch.parent
        if parent is not None:
            self._branches -= 1
            parent.pending -= 1
            if not parent.pending:
                self._runnable.append(parent)
        self._pass_on(None if self._is_given_up else self._next())

    def _here(self, what: str) -> Branch:
        """The branch that asks; it is sent away where the run is being unwound."""
        branch = self._running
        if branch is None or branch.thread != threading.get_ident():
            raise AssayError(
                f"{what} was asked for outside the body that its ctx belongs to",
                code="ctx_elsewhere",
                hint="use ctx only in its own body; for branches there is ctx.parallel",
            )
        if self.is_unwinding or self._is_given_up:
            branch.raises += 1
            if branch.raises >= _RAISES:
                # A loop that swallows Parked would never end.
                self._hang(branch)
            raise Parked
        return branch

    def _hang(self, branch: Branch) -> None:
        self._pass_on(None if self._is_given_up else self._next())
        branch.turn.acquire()
