"""A body that blocks its pump can be named from another thread."""

from __future__ import annotations

import threading

from assay.engine.replay import Pump, ReplayLimits, pumping, stack_of
from properties.replay.harness import RUN, call, start, start_sync, step


def _watch_while_blocked(begin: threading.Thread, blocked: threading.Event) -> tuple[Pump, str]:
    begin.start()
    assert blocked.wait(10)
    (pump,) = [each for each in pumping() if each.run_id == RUN]
    return pump, stack_of(pump)


def test_a_blocked_pump_is_named_with_its_line() -> None:
    """A `threading.Lock` held across an await by another run blocks the worker's loop."""
    lock, blocked = threading.Lock(), threading.Event()

    async def body() -> str:
        if lock.locked():
            blocked.set()
        with lock:
            return await step("a")

    holder, _ = start(body)
    waiter, _ = start(body)
    holder.begin()
    thread = threading.Thread(target=waiter.begin)
    pump, stack = _watch_while_blocked(thread, blocked)
    holder.unwind()
    thread.join()
    waiter.unwind()

    assert thread.ident == pump.thread
    assert __file__ in stack
    assert "in body" in stack
    assert pumping() == ()
    assert stack_of(pump) == ""


def test_a_sync_body_that_blocks_is_given_up_and_named() -> None:
    """Its thread stays behind; the worker goes on."""
    gate, blocked, ended = threading.Event(), threading.Event(), threading.Event()
    outcomes: list[str] = []

    def body() -> str:
        blocked.set()
        gate.wait()
        try:
            return call("a")
        finally:
            ended.set()

    replay, _ = start_sync(body, limits=ReplayLimits(seconds_per_pump=0.5))

    def begin() -> None:
        finished = replay.begin().finished
        assert finished is not None
        assert finished.failure is not None
        outcomes.append(f"{finished.failure.code} {finished.failure.message}")

    pump, stack = _watch_while_blocked(thread := threading.Thread(target=begin), blocked)
    thread.join()
    replay.unwind()

    assert thread.ident != pump.thread
    assert "gate.wait()" in stack
    assert outcomes[0].startswith("body_never_settles")
    assert "it is at" in outcomes[0]
    assert "does not end" in replay.leaked

    gate.set()
    assert ended.wait(10)
