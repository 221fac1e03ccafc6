"""What a body awaits: asked of the journal when first stepped, answered by a memo."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from assay.errors import AssayError, Failure, StepError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from assay.model.journal import Memo
    from assay.sdk.port import Journal, Operation

R = TypeVar("R")


class Ask(Coroutine[object, object, R]):
    """A coroutine that begins when it is first stepped, and may be dropped without a warning.

    Being a `collections.abc.Coroutine` it works with `await`, `asyncio.gather`, `TaskGroup` and
    all else that takes coroutines.
    """

    __slots__ = ("_begin", "_running")

    def __init__(self, begin: Callable[[], Coroutine[object, object, R]]) -> None:
        self._begin = begin
        self._running: Coroutine[object, object, R] | None = None

    @override
    def __await__(self) -> Generator[object, object, R]:
        return self._coroutine().__await__()  # type: ignore[return-value]

    @override
    def send(self, value: object, /) -> object:
        return self._coroutine().send(value)

    @override
    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> object:
        # The form with three arguments is deprecated since 3.12; asyncio passes the error alone.
        if val is None and tb is None:
            return self._coroutine().throw(typ)  # type: ignore[arg-type]
        return self._coroutine().throw(typ, val, tb)  # type: ignore[call-overload, no-any-return]

    @override
    def close(self) -> None:
        self._coroutine().close()

    def _coroutine(self) -> Coroutine[object, object, R]:
        if self._running is None:
            self._running = self._begin()
        return self._running


def ask(
    journal: Journal, operation: Operation, read: Callable[[str], R], errors: Errors = ()
) -> Ask[R]:
    """Ask an async body's journal, and read the memo's JSON text."""

    async def begin() -> R:
        return answer(operation.name, await journal.ask(operation), read, errors)

    return Ask(begin)


def call(
    journal: Journal, operation: Operation, read: Callable[[str], R], errors: Errors = ()
) -> R:
    """Ask a sync body's journal, and read the memo's JSON text."""
    return answer(operation.name, journal.call(operation), read, errors)


def answer(name: str, memo: Memo, read: Callable[[str], R], errors: Errors) -> R:
    """What a memo says: the value, or the StepError that it stands for."""
    if memo.failure is not None:
        raise step_error(name, memo.failure, errors)
    try:
        return read(memo.output or "null")
    except ValueError as error:
        raise AssayError(
            f"the recorded output of {name!r} does not fit its type any more: {error}",
            code="memo_misfit",
            field=name,
            hint="give the step a new id when the type of its result changes",
        ) from error


Errors = tuple[type[Exception], ...]
"""Error classes by which a failed step shall be catchable besides StepError."""


def check_errors(errors: Errors) -> Errors:
    """Refuse classes that can't be built without their `__init__`, as `bad_option`."""
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
    return errors


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
