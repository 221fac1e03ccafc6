"""The event loop of one run: a ready queue stepped by hand, and nothing else.

It is settled when its queue is empty, exactly. Timers, sockets, threads and signals are refused
at the line that asks for them: in a body they belong into steps.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio import tasks as asyncio_tasks
from collections import deque
from contextvars import Context, copy_context
from threading import get_ident
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar, TypeVarTuple

from typing_extensions import override

from assay.engine.replay import watch
from assay.engine.replay.bare import BareLoop
from assay.engine.replay.forgotten import wraps
from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
    from uuid import UUID

    from assay.engine.replay.turns import ReplayLimits

    AnyGenerator = AsyncGenerator[object, object]
    Firstiter = Callable[[AsyncGenerator[object, object]], None] | None

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_LOOK_EVERY = 256
_FEWEST = 64
_SEED_BITS = (1 << 50) - 1
_COUNT_BITS = 10
_logger = logging.getLogger("assay.body")

_UNORDERED = ("as_completed", "_AsCompletedIterator")
_WRAPS_COROUTINES = {asyncio.ensure_future.__code__} | {
    function.__code__
    for name in ("_ensure_future",)
    if (function := getattr(asyncio_tasks, name, None)) is not None
}


class RunFuture(asyncio.Future[_T]):
    """A future that hashes by a counter of its run, so that sets of them keep their order."""

    __slots__ = ("_number",)
    _number: int

    @override
    def __hash__(self) -> int:
        try:
            return self._number
        except AttributeError:
            loop = self.get_loop()
            self._number = loop.next_number() if isinstance(loop, RunLoop) else id(self)
            return self._number


class RunTask(asyncio.Task[_T]):
    """A task that hashes by a counter of its run, so that sets of them keep their order.

    Attributes:
        was_awaited: whether anything but a gathering, which may itself be forgotten, watched it.
    """

    __slots__ = ("_number", "was_awaited")

    def __init__(
        self,
        coroutine: Coroutine[object, object, _T] | Generator[object, None, _T],
        *,
        loop: RunLoop,
        name: str | None,
        context: Context | None,
    ) -> None:
        # Before the base's, which puts the task into a WeakSet.
        self._number = loop.next_number()
        self.was_awaited = False
        super().__init__(
            coroutine,  # type: ignore[arg-type]  # typeshed fixes what the body yields
            loop=loop,
            name=name or f"Task-{loop.count}",
            context=context,
        )

    @override
    def __hash__(self) -> int:
        return self._number

    @override
    def add_done_callback(
        self, fn: Callable[[Self], object], /, *, context: Context | None = None
    ) -> None:
        if not self.was_awaited and not wraps(fn):
            self.was_awaited = True
        super().add_done_callback(fn, context=context)


class Callback(asyncio.Handle):
    """What the loop runs next."""

    __slots__ = ("arguments", "context", "work")

    def __init__(
        self,
        work: Callable[..., object],
        arguments: tuple[object, ...],
        context: Context,
    ) -> None:
        self.work: Callable[..., object] | None = work
        self.arguments = arguments
        self.context = context

    @override
    def __repr__(self) -> str:
        return f"<Callback {self.work!r}>"

    @override
    def cancel(self) -> None:
        """Have it not run."""
        self.work = None
        self.arguments = ()

    @override
    def cancelled(self) -> bool:
        """Whether it will not run, or was told so."""
        return self.work is None


class RunLoop(BareLoop):
    """Runs a body's callbacks in the order in which they were scheduled.

    Use it as a context manager around `settle`, and around whatever resolves its futures.

    Attributes:
        foreign_wakes: what other threads tried to schedule, for `body_stuck` to name.
        is_quiet: whether errors that nobody retrieves are not worth a line in the log.
    """

    def __init__(self, run_id: UUID, limits: ReplayLimits, monotonic: Callable[[], float]) -> None:
        self.count = 0
        self.foreign_wakes: list[str] = []
        self.is_quiet = True
        self._run_id = run_id
        # Without it the n-th tasks of all runs would share one slot of asyncio's WeakSet. The low
        # bits stay free, so that small sets of tasks go by the order of their making.
        self._seed = (run_id.int & _SEED_BITS) << _COUNT_BITS
        self._limits = limits
        self._monotonic = monotonic
        self._ready: deque[Callback] = deque()
        self._thread: int | None = None
        self._outer: asyncio.AbstractEventLoop | None = None
        self._hooks: tuple[Firstiter, Firstiter] = (None, None)
        # Strong references: what is collected ends at a moment that no replay repeats.
        self._tasks: list[RunTask[object]] = []
        self._tasks_limit = _FEWEST
        self._generators: list[AnyGenerator] = []
        self._generators_limit = _FEWEST

    def __enter__(self) -> None:
        self._thread = thread = get_ident()
        self._outer = asyncio._get_running_loop()  # noqa: SLF001 - exported for other loops
        self._hooks = sys.get_asyncgen_hooks()
        asyncio._set_running_loop(self)  # noqa: SLF001 - as above
        sys.set_asyncgen_hooks(self._keep_generator, _leave_generator)
        watch.started(self._run_id, thread, self._monotonic())

    def __exit__(self, *_: object) -> None:
        sys.set_asyncgen_hooks(*self._hooks)
        asyncio._set_running_loop(self._outer)  # noqa: SLF001 - as above
        watch.ended(get_ident())
        self._thread = self._outer = None

    def next_number(self) -> int:
        """The hash of the next task or future."""
        self.count += 1
        return self._seed + self.count

    def settle(self) -> bool:
        """Run callbacks until none is left; False where that seems never to happen."""
        ready = self._ready
        done = 0
        budget = started_at = 0.0
        while ready:
            callback = ready.popleft()
            try:
                if callback.work is not None:
                    callback.context.run(callback.work, *callback.arguments)
            except (SystemExit, KeyboardInterrupt):
                # The task that raised it holds it too; it ends the run, not the worker.
                pass
            except BaseException as error:  # noqa: BLE001 - as every event loop does
                self.call_exception_handler({"message": "a callback failed", "exception": error})
            done += 1
            if done % _LOOK_EVERY == 0:
                if done == _LOOK_EVERY:
                    budget, started_at = self._budget(), self._monotonic()
                elif self._monotonic() - started_at > self._limits.seconds_per_pump:
                    return False
                if done > budget and done > (budget := self._budget()):
                    return False
        return True

    @property
    def has_more(self) -> bool:
        """Whether something has not ended."""
        if self._generators and self.open_generators():
            return True
        return any(not task.done() for task in self._tasks)

    def live_tasks(self) -> list[RunTask[object]]:
        """The tasks that have not ended, in order of their making."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks_limit = max(_FEWEST, 2 * len(self._tasks))
        return self._tasks.copy()

    def open_generators(self) -> list[AnyGenerator]:
        """The asynchronous generators that have begun and not ended."""
        # A generator that has ended has lost its frame.
        self._generators = [each for each in self._generators if getattr(each, "ag_frame", None)]
        self._generators_limit = max(_FEWEST, 2 * len(self._generators))
        return self._generators.copy()

    def forget(self) -> None:
        """Let go of everything, once all of it has ended."""
        self._ready.clear()
        self._tasks.clear()
        self._generators.clear()

    def _budget(self) -> float:
        limits = self._limits
        return limits.callbacks_per_pump + limits.callbacks_per_task * len(self.live_tasks())

    def _keep_generator(self, generator: AnyGenerator) -> None:
        self._generators.append(generator)
        if len(self._generators) > self._generators_limit:
            self.open_generators()

    # What asyncio needs of a loop.

    @override
    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if self._thread != get_ident():
            self._refuse_foreign(callback)
        handle = Callback(callback, args, copy_context() if context is None else context)
        self._ready.append(handle)
        return handle

    @override
    def call_soon_threadsafe(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    @override
    def create_future(self) -> RunFuture[object]:
        return RunFuture(loop=self)

    @override
    def create_task(
        self,
        coro: Coroutine[object, object, _T] | Generator[object, None, _T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> RunTask[_T]:
        if sys._getframe(1).f_code in _WRAPS_COROUTINES:  # noqa: SLF001 - the only sign of it
            _refuse_unordered()
        return self.add_task(coro, name, context)

    def add_task(
        self,
        coroutine: Coroutine[object, object, _T] | Generator[object, None, _T],
        name: str | None,
        context: Context | None,
    ) -> RunTask[_T]:
        """Begin a task, whoever asks."""
        task = RunTask(coroutine, loop=self, name=name, context=context)
        self._tasks.append(task)  # type: ignore[arg-type]  # only ever read
        if len(self._tasks) > self._tasks_limit:
            self.live_tasks()
        return task

    @override
    def call_exception_handler(self, context: Mapping[str, object]) -> None:
        if not self.is_quiet:
            error = context.get("exception")
            _logger.error(
                "run %s: %s",
                self._run_id,
                context.get("message"),
                exc_info=error if isinstance(error, BaseException) else None,
            )

    def _refuse_foreign(self, callback: object) -> NoReturn:
        wake = getattr(callback, "__qualname__", None) or repr(callback)
        self.foreign_wakes.append(wake)
        raise AssayError(
            f"{wake} was scheduled on a body's event loop from outside the body",
            code="body_io",
            hint="a body is woken by ctx alone: let a step return the value",
        )


def _leave_generator(generator: AnyGenerator) -> None:
    """Nothing: a generator collected after its run has ended must not run in another's loop."""


def _refuse_unordered() -> None:
    frame = sys._getframe(2)  # noqa: SLF001 - as in create_task
    while frame.f_back is not None and frame.f_code.co_filename == asyncio_tasks.__file__:
        if frame.f_code.co_qualname.startswith(_UNORDERED):
            raise AssayError(
                "asyncio.as_completed starts bare coroutines in an order that no replay repeats",
                code="body_unordered",
                hint="make the tasks first: as_completed([asyncio.create_task(c), ...])",
            )
        frame = frame.f_back
