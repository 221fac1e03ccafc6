"""The errors that a person can meet: a code, what is wrong, which field, how to mend it.

AssayError                 base; `code`, `message`, `field`, `hint`, `is_retriable`
├── NonRetriableError      raised by user code: the step or run fails without another attempt
├── RetryAfterError        raised by user code: the next attempt waits this long
├── StepError              what a failed step looks like to the body that awaits it
└── (everything else is an AssayError with a code of `docs/errors.md`)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class AssayError(Exception):
    """Something a person has to mend.

    Attributes:
        code: stable word, listed in `docs/errors.md`.
        message: what is wrong, in one sentence.
        field: the field or setting that is wrong, if one is.
        hint: how to mend it.
        is_retriable: whether trying the same again can succeed.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        field: str | None = None,
        hint: str | None = None,
        is_retriable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.hint = hint
        self.is_retriable = is_retriable

    @override
    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class NonRetriableError(AssayError):
    """Raise it in a step or body: no further attempt is made."""

    def __init__(self, message: str = "", *, code: str = "non_retriable") -> None:
        super().__init__(message, code=code)


class RetryAfterError(AssayError):
    """Raise it in a step or body: the next attempt starts no earlier than `after` says.

    Args:
        message: what went wrong.
        after: seconds, a timedelta, a duration string such as `"30s"`, or an aware instant.
    """

    def __init__(self, message: str, after: float | timedelta | str | datetime) -> None:
        super().__init__(message, code="retry_after", is_retriable=True)
        self.after = after


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A raised error as it is stored: what replay shows a body is exactly this.

    Attributes:
        type: the class's name.
        bases: names of the class and its bases, most derived first.
        message: `str(error)`.
        data: JSON text of `error.data` if it had some that JSON can hold.
        traceback: text, for people.
        code: of an AssayError.
        retriable: whether another attempt could have helped.
    """

    type: str
    message: str
    bases: tuple[str, ...] = ()
    data: str | None = None
    traceback: str = ""
    code: str | None = None
    retriable: bool = True


class StepError(AssayError):
    """A step failed for good. Catch it in the body, or let it fail the run.

    Attributes:
        step: the step's id as written.
        failure: the stored error.
    """

    def __init__(self, step: str, failure: Failure) -> None:
        super().__init__(failure.message, code=failure.code or "step_failed")
        self.step = step
        self.failure = failure

    @property
    def name(self) -> str:
        """The class name of the error that the step raised."""
        return self.failure.type

    @override
    def __str__(self) -> str:
        return f"step {self.step!r} failed: {self.failure.type}: {self.failure.message}"


class Parked(BaseException):
    """Unwinds a body whose run can only wait; never caught by `except Exception`."""
