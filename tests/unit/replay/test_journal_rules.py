"""What a replay does with each entry, and what it says after each."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assay.ids import step_key
from assay.model.journal import Kind
from properties.replay.harness import Body, entries_of, entry, start, step

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from assay.engine.replay import Turn


async def two() -> str:
    """Asks for `a`, then `b`."""
    return await step("a") + await step("b")


async def together() -> str:
    """Asks for `a` and `b` at once."""
    return "".join(await asyncio.gather(step("a"), step("b")))


def begin(body: Body, *names: str) -> Turn:
    """The first turn of a body with these steps in its journal."""
    replay, _ = start(body, entries_of(*names))
    turn = replay.begin()
    replay.unwind()
    return turn


def code_of(turn: Turn) -> str | None:
    """Of the failure that a turn ends with."""
    assert turn.finished is not None
    assert turn.finished.failure is not None
    assert not turn.finished.failure.retriable
    return turn.finished.failure.code


def test_a_run_goes_from_asks_to_output() -> None:
    """Ask, commit, deliver, finish."""
    replay, _ = start(two)
    first = replay.begin()
    second = replay.deliver(entry("a", output="x"))
    last = replay.deliver(entry("b", seq=2, output="y"))
    replay.unwind()

    assert [asked.operation.name for asked in first.asks] == ["a"]
    assert [step_key("b", 0)] == [asked.key for asked in second.asks]
    assert last.finished is not None
    assert last.finished == ("xy", None, None)
    assert not last.waiting


def test_misses_are_handed_out_in_order_of_asking_once_the_journal_is_drained() -> None:
    """And only once."""
    replay, _ = start(together, entries_of())
    turn = replay.begin()

    assert [asked.operation.name for asked in turn.asks] == ["a", "b"]
    assert {step_key("a", 0), step_key("b", 0)} == turn.waiting
    assert replay.deliver(entry("b")).asks == ()
    assert {step_key("a", 0)} == turn.waiting
    replay.unwind()


def test_it_is_replaying_until_the_last_entry_is_delivered() -> None:
    """What a body does from then on may not have happened before."""
    seen = []

    async def body() -> str:
        seen.append(replay.is_replaying)
        await step("a")
        seen.append(replay.is_replaying)
        await step("b")
        seen.append(replay.is_replaying)
        return "done"

    replay, _ = start(body, entries_of("a", "b"))
    replay.begin()
    replay.unwind()

    assert seen == [True, True, False]


def test_a_repeated_id_counts_when_it_is_stepped() -> None:
    """Not when it is called."""

    async def body() -> str:
        late, early = step("a", "late"), step("a", "early")
        return await early + await late

    replay, life = start(body, entries_of("a"))
    turn = replay.begin()
    replay.unwind()

    assert life.asked == [("a", "early"), ("a", "late")]
    assert [(1, step_key("a", 1))] == [(asked.index, asked.key) for asked in turn.asks]


def test_a_cancelled_ask_is_reported_and_its_memo_delivered_to_nobody() -> None:
    """Now, and when the journal is replayed."""

    async def body() -> str:
        task: asyncio.Task[str] = asyncio.create_task(step("a"))
        await step("b")
        task.cancel()
        return await step("c")

    replay, _ = start(body)
    replay.begin()
    turn = replay.deliver(entry("b", seq=1))
    assert (step_key("a", 0),) == turn.cancelled
    assert {step_key("c", 0)} == turn.waiting
    replay.deliver(entry("a", seq=2))
    live = replay.deliver(entry("c", seq=3, output="end"))
    replay.unwind()

    again = begin(body, "b", "a", "c")
    assert live.finished is not None
    assert again.finished is not None
    assert (live.finished.output, again.finished.output) == ("end", "1")
    assert again.cancelled == ()
    assert not replay.unasked


def test_an_ask_cancelled_on_replay_is_reported_again() -> None:
    """Its wait may be open still, if the last life died before it was closed."""

    async def body() -> str:
        task: asyncio.Task[str] = asyncio.create_task(step("wait"))
        await step("b")
        task.cancel()
        return await step("c")

    turn = begin(body, "b")

    assert (step_key("wait", 0),) == turn.cancelled
    assert [asked.operation.name for asked in turn.asks] == ["c"]


def test_an_ask_cancelled_before_it_is_handed_out_is_not_started() -> None:
    """Nobody waits for it any more."""

    async def body() -> str:
        task: asyncio.Task[str] = asyncio.create_task(step("a"))
        await asyncio.sleep(0)
        task.cancel()
        return await step("b")

    assert [asked.operation.name for asked in begin(body).asks] == ["b"]


def test_reordered_steps_get_their_memos_all_the_same() -> None:
    """An entry that is asked for later is kept for then."""

    async def body() -> str:
        return await step("b") + await step("a") + await step("c")

    finished = begin(body, "a", "b", "c").finished

    assert finished is not None
    assert finished.output == "111"


def test_an_entry_kept_for_later_can_be_too_late() -> None:
    """Its asker was cancelled while it waited for its turn."""

    async def body() -> str:
        await step("b")
        task: asyncio.Task[str] = asyncio.create_task(step("a"))
        await asyncio.sleep(0)
        task.cancel()
        return await step("c")

    finished = begin(body, "a", "b", "c").finished

    assert finished is not None
    assert finished.output == "1"


def test_removed_steps_are_reported() -> None:
    """The run goes on without them."""

    async def body() -> str:
        return await step("b")

    replay, _ = start(body, entries_of("a", "b", "c"))
    turn = replay.begin()
    replay.unwind()

    assert turn.finished is not None
    assert turn.finished.output == "1"
    assert [each.name for each in replay.unasked] == ["a", "c"]


def test_a_repeated_id_not_asked_for_at_its_turn_is_a_mismatch() -> None:
    """No one can tell which use is which any more."""

    async def body() -> str:
        return await step("b") + await step("a")

    assert code_of(begin(body, "a", "a", "b")) == "journal_mismatch"


def test_a_memo_of_another_kind_is_a_mismatch() -> None:
    """The id stands for something else now; the body that asked ends all the same."""
    replay, _ = start(two, [replace(entry("a"), kind=Kind.SLEEP)])
    turn = replay.begin()
    replay.unwind()

    assert code_of(turn) == "journal_mismatch"
    assert replay.leaked == ""
    assert turn.finished is not None
    assert turn.finished.failure is not None
    assert "'a'" in turn.finished.failure.message


@pytest.mark.parametrize("names", [("a:1", "a", "a"), ("a", "a", "a:1")])
def test_an_id_that_looks_like_a_second_use_is_refused(names: tuple[str, ...]) -> None:
    """`step_key` gives both the same key."""

    async def body() -> str:
        for name in names:
            await step(name)
        return "done"

    assert code_of(begin(body, *names[:2])) == "step_id_taken"


def test_steps_see_the_context_variables_of_their_asker() -> None:
    """And their changes never reach the body."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def body() -> str:
        variable.set("body")
        await step("a")
        return variable.get()

    replay, _ = start(body)
    (asked,) = replay.begin().asks
    assert asked.context[variable] == "body"
    asked.context.run(variable.set, "step")
    finished = replay.deliver(entry("a")).finished
    replay.unwind()

    assert finished is not None
    assert finished.output == "body"


def test_ctx_of_one_body_is_not_for_another() -> None:
    """Nor for code outside of any."""
    holder, life = start(two)
    holder.begin()
    assert life.replay is holder

    async def thief() -> str:
        return (await holder.ask(step("x")._operation)).output or ""

    assert code_of(begin(thief)) == "ctx_elsewhere"
    holder.unwind()


def test_sync_calls_are_refused_in_coroutines() -> None:
    """They would block the worker's loop."""

    async def calling() -> str:
        return replay.call(step("x")._operation).output or ""

    async def branching() -> str:
        return str(replay.parallel([]))

    for body in (calling, branching):
        replay, _ = start(body)
        turn = replay.begin()
        replay.unwind()
        assert code_of(turn) == "ctx_elsewhere"


def test_the_loop_of_the_caller_is_restored() -> None:
    """A pump runs inside a callback of the worker's loop."""

    async def worker() -> None:
        mine = asyncio.get_running_loop()
        replay, _ = start(two)
        replay.begin()
        replay.deliver(entry("a"))
        replay.unwind()
        assert mine is asyncio.get_running_loop()
        assert asyncio.current_task() is not None
        await asyncio.sleep(0)

    asyncio.run(worker())


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_system_exit_fails_the_run_alone(error: type[BaseException]) -> None:
    """Raised in the body or in a task of it."""

    async def leave() -> str:
        raise error

    async def child() -> str:
        return await asyncio.create_task(leave())

    for body in (leave, child):
        finished = begin(body).finished
        assert finished is not None
        assert isinstance(finished.error, error)
        assert finished.failure is not None
        assert error.__name__ == finished.failure.type


def test_a_body_that_cannot_be_started_fails() -> None:
    """The callable itself raises."""

    def broken() -> Coroutine[object, object, str]:
        raise ValueError

    finished = begin(broken).finished

    assert finished is not None
    assert isinstance(finished.error, ValueError)


def test_tasks_have_names_of_their_run() -> None:
    """A counter of the process would differ on replay."""

    async def body() -> str:
        task: asyncio.Task[str] = asyncio.create_task(step("a"))
        named: asyncio.Task[str] = asyncio.create_task(step("b"), name="mine")
        await asyncio.gather(task, named)
        return task.get_name() + named.get_name()

    names = {begin(body, "a", "b").finished for _ in range(3)}

    assert len(names) == 1


def test_the_clock_stands_still() -> None:
    """No reading of it may decide what is asked."""

    async def body() -> str:
        before = asyncio.get_running_loop().time()
        await step("a")
        return str(asyncio.get_running_loop().time() - before)

    finished = begin(body, "a").finished

    assert finished is not None
    assert finished.output == "0.0"


def test_a_task_that_nobody_refers_to_is_not_collected() -> None:
    """The moment of collection would decide what is asked."""

    async def forgotten() -> None:
        await asyncio.Event().wait()

    async def body() -> str:
        task = asyncio.create_task(forgotten())
        del task
        await asyncio.sleep(0)
        gc.collect()
        return str(len(asyncio.all_tasks()))

    finished = begin(body).finished

    assert finished is not None
    assert finished.output == "2"
