"""Replays bodies that are coroutines, on an event loop of their own."""

from __future__ import annotations

import asyncio
import time
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from assay.engine.replay import lines
from assay.engine.replay.failures import describe
from assay.engine.replay.forgotten import is_gathered_in_vain, told
from assay.engine.replay.loop import RunFuture, RunLoop, RunTask
from assay.engine.replay.replay import Place, Replay
from assay.engine.replay.turns import Finished
from assay.engine.replay.unwinding import unwind
from assay.errors import AssayError, Parked
from assay.model.journal import Memo

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from uuid import UUID

    from assay.engine.replay.turns import ReplayLimits
    from assay.model.journal import Entry
    from assay.sdk.port import Operation

_RAISES = 50
_leaks: list[AsyncReplay] = []
"""Bodies that did not end: collected, they could run their `finally` inside another run."""


class AskFuture(RunFuture[Memo]):
    """What the asker of an operation awaits."""

    __slots__ = ("asked_in", "key", "operation", "place", "replay")
    operation: Operation
    place: Place
    key: UUID | None
    asked_in: Context
    replay: AsyncReplay

    @override
    def cancel(self, msg: object = None) -> bool:
        """Also tell the replay that the asker went away."""
        if super().cancel(msg):
            self.replay._withdraw(self)  # noqa: SLF001 - two halves of one thing
            return True
        return False


class AsyncReplay(Replay):
    """Replays a body that is a coroutine; everything happens in the thread that calls it."""

    def __init__(
        self,
        body: Callable[[], Coroutine[object, object, str]],
        *,
        run_id: UUID,
        entries: Sequence[Entry],
        context: Context,
        limits: ReplayLimits | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(
            run_id=run_id, entries=entries, context=context, limits=limits, monotonic=monotonic
        )
        self._body = body
        self._main: RunTask[str] | None = None
        self._loop = RunLoop(run_id, self._limits, monotonic)  # type: ignore[abstract]  # refused
        self._raises: dict[object, int] = {}

    @override
    def ask(self, operation: Operation) -> asyncio.Future[Memo]:
        loop = self._loop
        if asyncio._get_running_loop() is not loop:  # noqa: SLF001 - the fast, quiet form
            raise AssayError(
                f"step {operation.name!r} was asked for outside the body that its ctx belongs to",
                code="ctx_elsewhere",
                hint="use ctx only in its own body, not in threads, steps or other runs",
            )
        future = AskFuture(loop=loop)
        future.replay = self
        if self.is_unwinding:
            self._send_away()
            return future
        future.operation = operation
        future.key = None
        future.asked_in = copy_context()
        self._register(future)
        return future

    @override
    def call(self, operation: Operation) -> Memo:
        _refuse_sync(operation.name)

    @override
    def parallel(self, branches: Sequence[Callable[[], object]]) -> list[object]:
        _refuse_sync(f"parallel of {len(branches)}")

    @property
    @override
    def forgotten(self) -> list[str]:
        tasks = [task for task in self._loop.live_tasks() if not task.was_awaited]
        return [told(task) for task in tasks if is_gathered_in_vain(task)]

    @override
    def unwind(self) -> None:
        if self.is_unwinding:
            return
        loop = self._loop
        self.is_unwinding = loop.is_quiet = True
        if loop.has_more:
            with loop:
                leaks = unwind(loop, list(self._open.values()), self._context)
            if leaks:
                self.leaked = f"a body does not end when its run is parked: {lines.of_tasks(leaks)}"
                _leaks.append(self)
                return
        loop.forget()
        self._main = None
        self._raises.clear()
        self._forget()

    @override
    def _play(self, first: Callable[[], None]) -> None:
        with self._loop:
            first()
            settle = self._loop.settle
            entries = self._entries
            has_settled = settle()
            main = self._main
            while has_settled and self._refused is None and main and not main.done():
                if self._late:
                    self._answer_late()
                elif self._position < len(entries):
                    self._position += 1
                    self._answer(entries[self._position - 1])
                else:
                    break
                has_settled = settle()
            if not has_settled:
                where = lines.of_tasks(self._loop.live_tasks())
                self._refused = AssayError(
                    f"the body runs on and on without asking; at {where}", code="body_never_settles"
                )
            self._loop.is_quiet = False

    @override
    def _start(self) -> None:
        try:
            coroutine = self._context.run(self._body)
        except BaseException as error:  # noqa: BLE001 - as if its first line had raised it
            coroutine = _raise(error)
        self._main = self._loop.add_task(coroutine, None, self._context)

    @override
    def _outcome(self) -> Finished | None:
        main = self._main
        if main is None or not main.done():
            return None
        try:
            return Finished(main.result(), None, None)
        except BaseException as error:  # noqa: BLE001 - whatever ends a body fails its run only
            return Finished(None, describe(error), error)

    @override
    def _stuck_at(self) -> str:
        wakes = "; ".join(self._loop.foreign_wakes)
        foreign = f"; refused from outside: {wakes}" if wakes else ""
        return f"it waits at {lines.of_tasks(self._loop.live_tasks())}{foreign}"

    def _send_away(self) -> None:
        """Raise `Parked`, but not for ever: a loop that swallows it would never end."""
        task = asyncio.current_task(self._loop)
        raises = self._raises[task] = self._raises.get(task, 0) + 1
        if raises < _RAISES:
            raise Parked


async def _raise(error: BaseException) -> str:
    raise error


def _refuse_sync(what: str) -> NoReturn:
    raise AssayError(
        f"{what}: a coroutine used the context of a sync function",
        code="ctx_elsewhere",
        hint="await it on assay.Context",
    )
