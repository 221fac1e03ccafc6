"""What is stored of an error that user code raises."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from typing_extensions import override

from assay.engine.replay import describe
from assay.errors import AssayError, Failure, NonRetriableError, RetryAfterError, StepError
from properties.replay.harness import entries_of, start, step


class MyError(ValueError):
    """An error of an author's, with data."""

    def __init__(self, message: str, data: object = None) -> None:
        super().__init__(message)
        self.data = data


class MuteError(Exception):
    """An error that cannot be asked anything."""

    @override
    def __str__(self) -> str:
        raise ValueError

    @property
    def data(self) -> object:
        """Nothing."""
        raise ValueError


def raised(error: BaseException) -> Failure:
    """The stored form of an error with a traceback."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        fail()
    return describe(caught.value)


def test_an_error_keeps_its_name_bases_message_data_and_traceback() -> None:
    """All that a body or a person asks of it."""
    failure = raised(MyError("too big", {"size": 3}))

    assert (
        failure.type,
        failure.message,
        failure.code,
        failure.retriable,
    ) == ("MyError", "too big", None, True)
    assert failure.bases == ("MyError", "ValueError", "Exception", "BaseException")
    assert json.loads(failure.data or "") == {"size": 3}
    assert "raise error" in failure.traceback


@pytest.mark.parametrize("data", [None, object(), float("nan"), {1, 2}])
def test_data_that_is_no_json_is_left_out(data: object) -> None:
    """It never hides the error itself."""
    assert raised(MyError("too big", data)).data is None


def test_an_error_that_cannot_be_read_is_stored_by_its_name() -> None:
    """Its own methods raise."""
    failure = raised(MuteError())

    assert (
        failure.type,
        failure.message,
        failure.data,
    ) == ("MuteError", "(its text could not be read)", None)


@pytest.mark.parametrize(
    ("error", "code", "retriable"),
    [
        (NonRetriableError("no"), "non_retriable", False),
        (RetryAfterError("later", timedelta(seconds=3)), "retry_after", True),
        (AssayError("wrong", code="bad_id"), "bad_id", False),
        (AssayError("busy", code="busy", is_retriable=True), "busy", True),
        (StepError("a", Failure(type="Boom", message="boom")), "step_failed", False),
        (SystemExit(1), None, True),
        (ExceptionGroup("two", [ValueError("x"), NonRetriableError("y")]), "non_retriable", False),
        (ExceptionGroup("one", [ValueError("x")]), None, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_errors_say_whether_another_attempt_could_help(
    error: BaseException, code: str | None, *, retriable: bool
) -> None:
    """A failed step has had its attempts; groups are asked member by member."""
    failure = raised(error)

    assert (code, retriable) == (failure.code, failure.retriable)


def test_a_group_names_its_members() -> None:
    """Its own text says only how many there are."""
    failure = raised(ExceptionGroup("work", [ValueError("x"), KeyError("y")]))

    assert failure.message == "work (2 sub-exceptions): ValueError: x; KeyError: 'y'"


def test_a_long_traceback_keeps_its_end() -> None:
    """The line that raised is the last one."""

    def dig(depth: int) -> None:
        if depth == 0:
            raise ValueError("x" * 20_000)
        dig(depth - 1)

    with pytest.raises(ValueError, match="x") as caught:
        dig(100)

    assert len(describe(caught.value).traceback) == 16_000


def test_the_error_itself_is_there_for_what_a_failure_cannot_hold() -> None:
    """`RetryAfterError.after`, for one."""
    error = RetryAfterError("later", "30s")

    async def body() -> str:
        await step("a")
        raise error

    replay, _ = start(body, entries_of("a"))
    finished = replay.begin().finished
    replay.unwind()

    assert finished is not None
    assert error is finished.error
    assert finished.failure is not None
    assert finished.failure.retriable


def test_a_body_that_cancels_itself_fails() -> None:
    """CancelledError is no way to end a run."""

    async def body() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return await step("a")

    replay, _ = start(body)
    finished = replay.begin().finished
    replay.unwind()

    assert finished is not None
    assert finished.failure is not None
    assert finished.failure.type == "CancelledError"
