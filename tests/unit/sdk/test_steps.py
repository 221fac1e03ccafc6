"""What `ctx.step` asks of the journal, and what the body gets."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pydantic
import pytest

import assay
from assay.errors import Failure, Parked
from assay.model.journal import Kind
from assay.model.scores import Subject
from assay.sdk.asks import Ask
from assay.sdk.port import EventSend, EventWait, Invocation, ScoreWrite, Sleep, StepCall
from unit.sdk.fake_journal import RUN, FakeJournal, code_of, context, run


class Feedback(pydantic.BaseModel):
    """Data of an event."""

    helpful: bool


class Ticket(pydantic.BaseModel):
    """Data of another."""

    id: int


FeedbackReceived = assay.EventType("feedback/received", Feedback)
client = assay.Client("app")


@client.function("child", on="child/asked")
async def child(ctx: assay.Context[Ticket]) -> Feedback:
    """Invoked below."""
    return Feedback(helpful=ctx.event.data.id > 0)


class OrderError(Exception):
    """An error of user code that wants arguments."""

    def __init__(self, order: str, *, total: int) -> None:
        super().__init__(f"{order} {total}")
        self.total = total


async def double(n: int, *, id: int = 2) -> int:  # noqa: D103
    return n * id


def test_a_step_runs_with_its_arguments() -> None:
    """Also one that is called `id`."""
    journal = FakeJournal()
    assert run(context(journal).step.run("double", double, 4, id=3)) == 12
    asked = journal.asked[0]
    assert (asked.kind, asked.name) == (Kind.STEP, "double")
    assert isinstance(asked.request, StepCall)
    assert asked.request.is_async
    assert asked.request.input is not None
    assert asked.request.input() == '{"args":[4],"kwargs":{"id":3}}'


def test_a_sync_function_and_a_lambda_around_an_async_one_run() -> None:
    """The lambda gives an awaitable."""
    journal = FakeJournal()
    step = context(journal).step
    assert run(step.run("len", len, "abc")) == 3
    assert run(step.run("lambda", lambda: double(1))) == 2
    assert [one.request.is_async for one in journal.asked] == [False, False]  # type: ignore[union-attr]


def test_asking_begins_with_the_first_step() -> None:
    """Not when the coroutine is made; dropping it makes Python warn of nothing."""
    journal = FakeJournal()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dropped = context(journal).step.run("never", double, 1)
        del dropped
        context(journal).step.sleep("never", "1s").close()
        gc.collect()
    assert journal.asked == []


def test_gather_task_group_wait_for_and_parallel_take_what_ctx_gives() -> None:
    """All that takes coroutines."""
    journal = FakeJournal()
    step = context(journal).step

    async def body() -> list[int]:
        first = await asyncio.gather(step.run("a", double, 1), step.run("b", double, 2))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(step.run("c", double, 3))
        fourth = await asyncio.wait_for(step.run("d", double, 4), 5)
        last = await context(journal).parallel(step.run("e", double, 5), step.run("f", double, 6))
        return [*first, task.result(), fourth, *last]

    assert asyncio.run(body()) == [2, 4, 6, 8, 10, 12]
    assert [one.name for one in journal.asked] == list("abcdef")


def test_a_coroutine_can_be_awaited_once() -> None:
    """As any other."""
    step = context(FakeJournal()).step.run("a", double, 1)
    assert run(step) == 2
    with pytest.raises(RuntimeError, match="cannot reuse"):
        run(step)


def test_a_coroutine_can_be_thrown_into() -> None:
    """Before its first step too."""
    begun: Ask[int] = Ask(lambda: double(1))
    with pytest.raises(KeyError):
        begun.throw(KeyError("x"))


def failing(name: str, bases: tuple[str, ...] = ()) -> FakeJournal:
    """A journal in which step `bad` has failed."""
    journal = FakeJournal()
    journal.answers["bad"] = Failure(type=name, bases=bases or (name,), message="no stock")
    return journal


def test_a_failed_step_is_a_step_error() -> None:
    """With the name of what was raised."""
    step = context(failing("OrderError")).step
    with pytest.raises(assay.StepError) as caught:
        run(step.run("bad", double, 1))
    assert (caught.value.name, caught.value.step) == ("OrderError", "bad")
    assert not isinstance(caught.value, OrderError)


def test_a_failed_step_can_be_caught_as_what_it_was() -> None:
    """Without its __init__ being called."""
    step = context(failing("OrderError", ("OrderError", "Exception"))).step
    with pytest.raises(OrderError) as caught:
        run(step.options(errors=(OrderError,)).run("bad", double, 1))
    assert isinstance(caught.value, assay.StepError)
    assert caught.value.failure.message == "no stock"
    assert "no stock" in str(caught.value)


@pytest.mark.parametrize("wanted", [OSError, KeyError, assay.NonRetriableError, Exception])
def test_classes_of_many_kinds_can_be_caught_by(wanted: type[Exception]) -> None:
    """Built-in ones, Assay's own, and what StepError is already."""
    step = context(failing(wanted.__name__)).step
    with pytest.raises(wanted) as caught:
        run(step.options(errors=(wanted,)).run("bad", double, 1))
    assert isinstance(caught.value, assay.StepError)


def test_options_are_checked() -> None:
    """Where they are written."""
    step = context(FakeJournal()).step
    assert code_of(lambda: step.options(retries=21)) == "bad_option"
    assert code_of(lambda: step.options(retries=True)) == "bad_option"
    assert code_of(lambda: step.options(timeout="soon")) == "bad_duration"
    assert code_of(lambda: step.options(errors=(ExceptionGroup,))) == "bad_option"
    assert code_of(lambda: step.options(errors=(int,))) == "bad_option"  # type: ignore[arg-type]


def test_options_reach_the_journal() -> None:
    """In seconds."""
    journal = FakeJournal()
    run(context(journal).step.options(retries=0, timeout="30s").run("a", double, 1))
    request = journal.asked[0].request
    assert isinstance(request, StepCall)
    assert (request.retries, request.timeout_s) == (0, 30.0)


@pytest.mark.parametrize(
    "id", ["", "  ", "assay.send", "a\0", "\ud800", 3, "x" * 513, "é" * 257], ids=ascii
)
def test_step_ids_are_checked(id: Any) -> None:
    """Non-empty, storable, short, and not Assay's own."""
    assert code_of(lambda: context(FakeJournal()).step.sleep(id, "1s")) == "bad_step_id"


def test_sleeping() -> None:
    """For a duration, or until an instant that knows its zone."""
    journal = FakeJournal()
    step = context(journal).step
    at = datetime(2026, 2, 1, tzinfo=UTC)
    run(step.sleep("a", timedelta(minutes=1)))
    run(step.sleep_until("b", at))
    assert [one.request for one in journal.asked] == [Sleep(for_s=60.0), Sleep(until=at)]
    naive = datetime(2026, 2, 1)  # noqa: DTZ001 - that is the point
    assert code_of(lambda: step.sleep_until("c", naive)) == "bad_instant"


EVENT = '{"id":"01J","name":"x","data":{"helpful":true},"ts":"2026-01-01T00:00:00+00:00"}'


def test_waiting_gives_a_typed_event_or_none() -> None:
    """Of the type's model; a dict for a bare name."""
    journal = FakeJournal()
    step = context(journal).step
    match = {"ticketId": "it's", "user.id": 1}
    journal.answers |= {"typed": EVENT, "bare": EVENT}

    typed = run(step.wait_for_event("typed", event=FeedbackReceived, timeout="7d", match=match))
    bare = run(step.wait_for_event("bare", event="x", timeout=5, if_="async.data.a == 1"))
    none = run(step.wait_for_event("late", event="x", timeout="1s", lookback="1h"))

    assert (typed.data, typed.id) == (Feedback(helpful=True), "01J")
    assert bare.data == {"helpful": True}
    assert none is None
    first, second, third = [one.request for one in journal.asked]
    assert isinstance(first, EventWait)
    assert (first.event, first.timeout_s, first.match) == ("feedback/received", 604800.0, match)
    assert json.loads(first.schema or "")["required"] == ["helpful"]
    assert isinstance(second, EventWait)
    assert (second.schema, second.condition) == (None, "async.data.a == 1")
    assert isinstance(third, EventWait)
    assert third.lookback_s == 3600.0


def test_a_wait_that_cannot_be_is_refused() -> None:
    """Where it is written."""
    wait = context(FakeJournal()).step.wait_for_event
    for event in ("", "a\0", "\ud800", "x" * 513):
        assert code_of(partial(wait, "a", event=event, timeout="1s")) == "event_name"
    for path in ("a\0", "\ud800"):
        waits = partial(wait, "a", event="x", timeout="1s", match={path: 1})
        assert code_of(waits) == "bad_match"
    assert code_of(lambda: wait("a", event="x", timeout="1s", if_=" ")) == "bad_condition"
    assert code_of(lambda: wait("a", event="x", timeout="1s", match={"a": {1}})) == "bad_match"


def test_an_event_that_does_not_fit_its_type_says_so() -> None:
    """Should one ever be recorded."""
    journal = FakeJournal()
    journal.answers["typed"] = EVENT.replace("true", '"what"')
    with pytest.raises(assay.AssayError) as caught:
        run(context(journal).step.wait_for_event("typed", event=FeedbackReceived, timeout="1s"))
    assert caught.value.code == "memo_misfit"


def test_sending_events() -> None:
    """Their sessions inherit, add and drop; the memo holds their ids."""
    journal = FakeJournal()
    journal.answers["send"] = '["01A","01B"]'
    events = [
        FeedbackReceived(Feedback(helpful=True), sessions=assay.DROP),
        assay.Event("a/b", {"n": 1}, sessions={"t": 1, "u": assay.DROP}, key="k"),
    ]
    sent = run(context(journal).step.send_event("send", events))
    assert sent == assay.Sent(("01A", "01B"), ())
    request = journal.asked[0].request
    assert isinstance(request, EventSend)
    first, second = request.events
    assert (first.data, first.drops_sessions, first.sessions) == ('{"helpful":true}', True, None)
    assert (second.data, second.sessions, second.key) == ('{"n":1}', {"t": 1, "u": None}, "k")


def test_invoking_gives_the_childs_type() -> None:
    """Its data may be the model or a dict that fits it."""
    journal = FakeJournal()
    journal.answers["ask"] = '{"helpful":true}'
    step = context(journal).step
    assert run(step.invoke("ask", child, {"id": 3}, timeout="1h")) == Feedback(helpful=True)
    run(step.invoke("ask", child, Ticket(id=4)))
    first, second = [one.request for one in journal.asked]
    assert isinstance(first, Invocation)
    assert isinstance(second, Invocation)
    assert (first.function, first.app, first.data) == ("child", "app", '{"id":3}')
    assert (first.timeout_s, second.data) == (3600.0, '{"id":4}')
    assert code_of(lambda: step.invoke("ask", child, {"id": "x"})) == "event_data"
    assert code_of(lambda: step.invoke("ask", child)) == "event_data"


def test_scoring_is_about_the_run_or_a_named_step() -> None:
    """Whatever runs at the time."""
    journal = FakeJournal()
    step = context(journal).step
    run(step.score("s", name="quality", value=True))
    run(step.score("s", name="quality", value=0.5, step_id="answer", index=1, rationale="why"))
    first, second = [one.request for one in journal.asked]
    assert isinstance(first, ScoreWrite)
    assert isinstance(second, ScoreWrite)
    assert (first.score.subject, first.score.run, first.score.value) == (Subject.RUN, RUN, True)
    assert (second.score.subject, second.score.step) == (Subject.STEP, "answer")
    assert (second.score.index, second.score.rationale) == (1, "why")
    assert first.score.id != second.score.id
    assert code_of(lambda: step.score("s", name="it's", value=1)) == "score_name"


def test_parallel_raises_the_first_error_in_order() -> None:
    """Once all have ended; being unwound comes before any error."""
    ended = []

    async def fail(error: BaseException, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        ended.append(turns)
        raise error

    ctx = context(FakeJournal())
    with pytest.raises(ValueError, match="first"):
        run(ctx.parallel(fail(ValueError("first"), 3), fail(KeyError("second"), 1)))
    assert ended == [1, 3]
    with pytest.raises(Parked):
        run(ctx.parallel(fail(ValueError("first"), 1), fail(Parked(), 2)))


def test_sync_bodies_ask_the_same() -> None:
    """And get the answers at once."""
    journal = FakeJournal()
    journal.answers["ask"] = '{"helpful":false}'
    ctx = assay.SyncContext[dict[str, Any]](journal, {})
    assert ctx.step.run("double", double, 2) == 4
    assert ctx.step.invoke("ask", child, {"id": 1}) == Feedback(helpful=False)
    assert ctx.step.wait_for_event("w", event="x", timeout="1s") is None
    assert ctx.parallel(lambda: 1, lambda: "a") == (1, "a")
    ctx.step.sleep("z", "1s")
    ctx.step.sleep_until("u", datetime(2026, 2, 1, tzinfo=UTC))
    ctx.step.score("s", name="a", value=1)
    journal.answers["send"] = '["01A"]'
    assert ctx.step.send_event("send", assay.Event("a/b", {})).event_ids == ("01A",)
    kinds = [one.kind for one in journal.asked]
    assert kinds == ["step", "invoke", "wait", "sleep", "sleep", "score", "send"]
