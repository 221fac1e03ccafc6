"""What a body awaits: asked of the journal when first stepped, answered by a memo."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from typing_extensions import override

from assay.errors import AssayError, Failure, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.model.journal import Memo
    from assay.sdk.port import Journal, Operation

R = TypeVar("R")
Errors: TypeAlias = "tuple[type[Exception], ...]"
"""Error classes by which a failed step shall be catchable besides StepError."""


class Ask(Coroutine[object, object, R]):
    """A coroutine that begins when it is first stepped.

    Being a `collections.abc.Coroutine` it works with `await`, `asyncio.gather`, `TaskGroup` and
    all else that takes coroutines.

    Args:
        begin: makes what is stepped.
        dropped: told when nobody awaits it, so that a forgotten `await` does not pass unseen.
    """

    __slots__ = ("_begin", "_dropped", "_running")

    def __init__(
        self,
        begin: Callable[[], Coroutine[object, object, R]],
        dropped: Callable[[], None] | None = None,
    ) -> None:
        self._begin = begin
        self._dropped = dropped
        self._running: Coroutine[object, object, R] | None = None

    def __del__(self) -> None:
        if self._running is None and self._dropped is not None:
            self._dropped()

    @override
    def __await__(self) -> Generator[object, object, R]:
        return self._coroutine().__await__()

    @override
    def send(self, value: object, /) -> object:
        return self._coroutine().send(value)

    @override
    def throw(self, *error: Any) -> object:
        return self._coroutine().throw(*error)

    @override
    def close(self) -> None:
        self._coroutine().close()

    def _coroutine(self) -> Coroutine[object, object, R]:
        if self._running is None:
            self._running = self._begin()
        return self._running


@dataclass(frozen=True, slots=True)
class Question(Generic[R]):
    """What to ask a journal, and how to read the answer.

    Attributes:
        read: the JSON text of a memo; raises ValueError where it does not fit.
        errors: classes by which a failure shall be catchable besides StepError.
    """

    operation: Operation
    read: Callable[[str], R]
    errors: Errors = ()


@dataclass(slots=True)
class Asking:
    """Whether a stretch of a body has asked for anything."""

    has_asked: bool = False


_asking: ContextVar[Asking | None] = ContextVar("assay_asking", default=None)


@contextmanager
def asking() -> Iterator[Asking]:
    """Note whether what runs within, in its tasks and threads too, asks for anything."""
    asked = Asking()
    token = _asking.set(asked)
    try:
        yield asked
    finally:
        _asking.reset(token)


def _note() -> None:
    asked = _asking.get()
    if asked is not None:
        asked.has_asked = True


def ask(journal: Journal, question: Question[R]) -> Ask[R]:
    """Ask as an async body does."""

    async def begin() -> R:
        _note()
        return answer(question, await journal.ask(question.operation))

    def dropped() -> None:
        warn_of_dropped(journal, question.operation.kind, question.operation.name)

    return Ask(begin, dropped)


def warn_of_dropped(journal: Journal, kind: str, name: str) -> None:
    """Say of what a body asked for and never awaited that it did not happen."""
    journal.warn(f"{kind} {name!r} was never awaited, so it did not happen: write await before it")


def call(journal: Journal, question: Question[R]) -> R:
    """Ask as a sync body does: blocks until the answer is there."""
    _note()
    return answer(question, journal.call(question.operation))


def answer(question: Question[R], memo: Memo) -> R:
    """What a memo says: the value, or the StepError that it stands for."""
    name = question.operation.name
    if memo.failure is not None:
        raise step_error(name, memo.failure, question.errors)
    try:
        return question.read(memo.output or "null")
    except ValueError as error:
        raise AssayError(
            f"the recorded output of {name!r} does not fit its type any more: {error}",
            code="memo_misfit",
            field=name,
            hint="give the step a new id when the type of its result changes",
        ) from error


def check_errors(errors: Errors) -> Errors:
    """Refuse classes that can't be built without their `__init__`, as `bad_option`."""
    if not isinstance(errors, tuple | list):
        raise AssayError(
            f"errors must be a tuple of classes, not {errors!r}",
            code="bad_option",
            field="errors",
            hint="errors=(MyError,)",
        )
    for wanted in errors:
        try:
            _class_for(wanted)
        except Exception as error:
            raise AssayError(
                f"a failed step can't be raised as {getattr(wanted, '__name__', wanted)}: {error}",
                code="bad_option",
                field="errors",
                hint="catch assay.StepError and look at its name",
            ) from error
    return tuple(errors)


def step_error(step: str, failure: Failure, errors: Errors = ()) -> StepError:
    """The error of a failed step, also of the first class of *errors* that it was."""
    for wanted in errors:
        if wanted.__name__ in failure.bases:
            plain = StepError(step, failure)
            error = _class_for(wanted)
            error.args = plain.args
            error.__dict__.update(plain.__dict__)
            return error
    return StepError(step, failure)


def _class_for(wanted: type[Exception]) -> StepError:
    if issubclass(StepError, wanted):
        return StepError.__new__(StepError)
    combined: Any = type(wanted.__name__, (StepError, wanted), {})
    # Its __init__ may want arguments that no memo has.
    made: StepError = combined.__new__(combined)
    return made
