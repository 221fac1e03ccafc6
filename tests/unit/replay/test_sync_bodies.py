"""Bodies that are plain functions: the same rules, in threads that take turns."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assay.engine.replay import Finished, ReplayLimits, SyncBodies, Turn, pumping
from assay.errors import AssayError, Parked, StepError
from assay.ids import step_key
from assay.model.journal import Kind
from properties.replay.harness import (
    World,
    call,
    commit,
    entries_of,
    entry,
    living,
    note,
    operation,
    parallel,
    start_sync,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def begin(body: Callable[[], str], *names: str) -> Turn:
    """The first turn of a body with these steps in its journal."""
    replay, _ = start_sync(body, entries_of(*names))
    turn = replay.begin()
    replay.unwind()
    assert not replay.leaked
    return turn


def code_of(turn: Turn) -> str | None:
    """Of the failure that a turn ends with."""
    assert turn.finished is not None
    assert turn.finished.failure is not None
    assert not turn.finished.failure.retriable
    return turn.finished.failure.code


def together() -> str:
    """Asks for `a` and `b` at once."""
    return ",".join(map(str, parallel(lambda: call("a", "left"), lambda: call("b", "right"))))


def test_a_run_goes_from_asks_to_output() -> None:
    """Ask, commit, deliver, finish."""
    replay, _ = start_sync(lambda: call("a") + call("b"))
    first = replay.begin()
    waiting = set(replay.deliver(entry("a", output="x")).waiting)
    last = replay.deliver(entry("b", seq=2, output="y"))
    replay.unwind()

    assert [asked.operation.name for asked in first.asks] == ["a"]
    assert {step_key("b", 0)} == waiting
    assert Finished("xy", None, None) == last.finished
    assert pumping() == ()


def test_hits_are_served_without_leaving_the_thread() -> None:
    """One thread for the whole of a replay."""
    threads: set[int] = set()

    def body() -> str:
        for name in "abc":
            call(name)
            threads.add(threading.get_ident())
        return "done"

    assert Finished("done", None, None) == begin(body, "a", "b", "c").finished
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_branches_ask_in_order_and_give_their_results_in_order() -> None:
    """Whatever is committed first."""
    replay, life = start_sync(together)
    left, right = replay.begin().asks
    replay.deliver(commit(right, 1))
    finished = replay.deliver(commit(left, 2)).finished
    replay.unwind()

    assert [site for _, site in life.asked] == ["left", "right"]
    assert finished is not None
    assert finished.output == "left=2,right=1"


def test_parallel_of_nothing_gives_nothing() -> None:
    """It does not wait."""
    assert Finished("[]", None, None) == begin(lambda: str(parallel())).finished


def test_parallel_waits_for_all_and_raises_the_first_error_in_order() -> None:
    """Not the first in time."""

    def fail(name: str) -> Callable[[], object]:
        def branch() -> None:
            note(name + call(name))
            raise ValueError(name)

        return branch

    replay, life = start_sync(
        lambda: str(parallel(fail("a"), fail("b"))), [entry("b", seq=1), entry("a", seq=2)]
    )
    finished = replay.begin().finished
    replay.unwind()

    assert finished is not None
    assert str(finished.error) == "a"
    assert life.log == ["b1", "a1"]


def test_too_many_branches_are_refused() -> None:
    """Each would hold a thread."""
    replay, _ = start_sync(
        lambda: str(parallel(*[lambda: call("a")] * 3)), limits=ReplayLimits(branches=2)
    )
    turn = replay.begin()
    replay.unwind()

    assert code_of(turn) == "too_many_branches"


def test_ctx_in_another_thread_is_refused() -> None:
    """Only `ctx.parallel` makes branches."""
    errors: list[AssayError] = []

    def body() -> str:
        context = contextvars.copy_context()

        def ask() -> None:
            with pytest.raises(AssayError) as refused:
                context.run(call, "a")
            errors.append(refused.value)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return "done"

    assert Finished("done", None, None) == begin(body).finished
    assert [error.code for error in errors] == ["ctx_elsewhere"]


def test_awaiting_in_a_sync_body_is_refused() -> None:
    """A sync function has no loop."""

    def body() -> str:
        replay = living.get().replay
        assert replay is not None
        return str(replay.ask(operation("a")))

    assert code_of(begin(body)) == "ctx_elsewhere"


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_whatever_a_body_raises_fails_its_run_alone(error: type[BaseException]) -> None:
    """Threads end with it as well as without."""

    def body() -> str:
        raise error

    finished = begin(body).finished

    assert finished is not None
    assert isinstance(finished.error, error)


def test_a_failed_step_is_raised_from_the_call() -> None:
    """As a StepError, the first time too."""

    def body() -> str:
        try:
            return call("fail", "here")
        except StepError as error:
            return error.failure.message

    life = World(lambda entries: start_sync(body, entries), [1]).run()

    assert life.asked == [("fail", "here")]


def test_parked_is_raised_from_the_blocked_calls_in_order_of_asking() -> None:
    """And again from what clean-up asks."""

    def branch(name: str) -> Callable[[], object]:
        def work() -> str:
            try:
                return call(name)
            except Parked:
                note(name)
                raise
            finally:
                with pytest.raises(Parked):
                    call("clean-up")

        return work

    def body() -> str:
        try:
            return str(parallel(branch("a"), branch("b")))
        except Parked:
            note("body")
            raise

    replay, life = start_sync(body)
    replay.begin()
    replay.unwind()
    replay.unwind()

    assert life.log == ["a", "b", "body"]
    assert not replay.leaked


def test_a_park_before_the_first_pump_starts_nothing() -> None:
    """No thread is taken."""
    replay, life = start_sync(together)
    replay.unwind()

    assert life.asked == []


def test_a_body_that_returns_after_parked_is_ignored() -> None:
    """Whatever it gives."""

    def body() -> str:
        try:
            return call("a")
        except BaseException:  # noqa: BLE001 - what this is about
            return "returned"

    assert begin(body).finished is None


def test_a_loop_that_swallows_parked_hangs_alone_and_is_reported() -> None:
    """Its daemon thread stays behind."""

    def body() -> str:
        while True:
            try:
                call("a")
            except BaseException:  # noqa: BLE001 - the fault that this is about
                note("swallowed")

    replay, life = start_sync(body)
    replay.begin()
    replay.unwind()

    assert "does not end" in replay.leaked
    assert len(life.log) <= 50


def test_steps_see_the_context_variables_of_their_branch() -> None:
    """Branches copy the body's context, as tasks do."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    def branch(value: str) -> Callable[[], object]:
        def work() -> str:
            variable.set(variable.get() + value)
            return call("a")

        return work

    def body() -> str:
        variable.set("body")
        parallel(branch("1"), branch("2"))
        return variable.get()

    replay, _ = start_sync(body)
    asks = replay.begin().asks
    replay.deliver(commit(asks[0], 1))
    finished = replay.deliver(commit(asks[1], 2)).finished
    replay.unwind()

    assert [asked.context[variable] for asked in asks] == ["body1", "body2"]
    assert Finished("body", None, None) == finished


def test_reordered_removed_and_repeated_steps_follow_the_rules_of_coroutines() -> None:
    """Kept for later, reported, refused."""
    assert Finished("11", None, None) == begin(lambda: call("b") + call("a"), "a", "b").finished

    replay, _ = start_sync(lambda: call("b"), entries_of("a", "b"))
    replay.begin()
    replay.unwind()
    assert [each.name for each in replay.unasked] == ["a"]

    assert code_of(begin(lambda: call("b") + call("a"), "a", "a", "b")) == "journal_mismatch"

    other, _ = start_sync(lambda: call("a"), [replace(entry("a"), kind=Kind.WAIT)])
    turn = other.begin()
    other.unwind()
    assert code_of(turn) == "journal_mismatch"
    assert other.leaked == ""


def test_a_loop_of_its_own_is_work_like_any_other() -> None:
    """What a sync body does between its calls is not seen; all of it is done anew on replay."""

    async def rest() -> str:
        await asyncio.sleep(0)
        return "rested"

    finished = begin(lambda: asyncio.run(rest()) + call("a"), "a").finished

    assert finished == Finished("rested1", None, None)


def test_threads_are_used_again_and_end_when_the_pool_closes() -> None:
    """One after the other needs only one."""
    pool = SyncBodies()
    seen: list[threading.Thread] = []
    rounds = threading.Semaphore(0)

    def work() -> None:
        seen.append(threading.current_thread())
        rounds.release()

    for _ in range(20):
        pool.run(work)
        assert rounds.acquire(timeout=10)
    pool.close()
    for thread in seen:
        thread.join(10)

    assert not any(thread.is_alive() for thread in seen)
    assert all(thread.daemon for thread in seen)
    assert len(set(seen)) < 20


def test_a_pool_closed_early_ends_its_threads_as_they_become_idle() -> None:
    """Work that was given is still done."""
    pool = SyncBodies()
    gate, began = threading.Event(), threading.Event()
    seen: list[threading.Thread] = []

    def work() -> None:
        seen.append(threading.current_thread())
        began.set()
        gate.wait(10)

    pool.run(work)
    pool.close()
    gate.set()
    assert began.wait(10)
    seen[0].join(10)

    assert not seen[0].is_alive()
