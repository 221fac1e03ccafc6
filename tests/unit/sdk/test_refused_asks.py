"""What `ctx.step` refuses, and what it tells of that nobody awaits."""

from __future__ import annotations

import gc
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import assay
from unit.sdk.fake_journal import FakeJournal, code_of, context, run


async def double(number: int) -> int:
    """A step."""
    return number * 2


def test_what_is_never_awaited_is_told_of() -> None:
    """A step, and an experiment; what is awaited is not."""
    journal = FakeJournal()
    ctx: Any = context(journal)
    ctx.step.score("rate", name="rating", value=1)
    variants: Any = {"a": ctx.step.options}
    ctx.experiment("style", variants=variants, select=assay.fixed("a"))
    assert run(ctx.step.run("a", double, 1)) == 2
    gc.collect()
    score, experiment = journal.warned
    assert "score 'rate' was never awaited" in score
    assert "experiment 'style' was never awaited" in experiment


@pytest.mark.parametrize("wrong", [5, None, "double"])
def test_a_step_needs_a_function(wrong: Any) -> None:
    """It is refused at once, not tried again and again."""
    assert code_of(lambda: run(context(FakeJournal()).step.run("a", wrong))) == "bad_function"


def test_a_step_is_given_the_function_and_not_its_call() -> None:
    """The hint says so, and Python has no coroutine to complain of."""
    step: Any = context(FakeJournal()).step
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(assay.AssayError, match="without calling it") as caught:
            step.run("a", double(1))
        gc.collect()
    assert caught.value.code == "bad_function"


def test_only_declared_functions_are_invoked() -> None:
    """Another one is a step."""
    invoke: Any = context(FakeJournal()).step.invoke
    assert code_of(lambda: invoke("a", double, {})) == "bad_function"


@pytest.mark.parametrize("event", ["*", "order/*", "order/item.*"])
def test_a_wait_takes_no_pattern(event: str) -> None:
    """It would match nothing and wait in vain."""
    step = context(FakeJournal()).step
    assert code_of(lambda: run(step.wait_for_event("a", event=event, timeout="1d"))) == "event_name"


@pytest.mark.parametrize("long", ["36526d", 10**12, 1e300, 10**400, timedelta.max])
def test_no_wait_ends_beyond_the_calendar(long: Any) -> None:
    """Such an instant could be written and not be read."""
    assert code_of(lambda: run(context(FakeJournal()).step.sleep("a", long))) == "bad_duration"


def test_no_sleep_ends_beyond_the_calendar() -> None:
    """Some time zones have no such instant."""
    step = context(FakeJournal()).step
    late = datetime(9999, 12, 31, tzinfo=UTC)
    assert code_of(lambda: run(step.sleep_until("a", late))) == "bad_instant"


def test_errors_are_a_tuple_of_classes() -> None:
    """A class alone is refused with the way to write it."""
    options: Any = context(FakeJournal()).step.options
    assert code_of(lambda: options(errors=ValueError)) == "bad_option"
