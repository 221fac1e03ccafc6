"""A worker that is stopped past its lease and goes on: others have its runs by then."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psycopg

from crash.test_kills import completes, flush_held_up, memos

if TYPE_CHECKING:
    import subprocess

    from crash.field import Field


def stop(field: Field, worker: subprocess.Popen[str]) -> None:
    """Stop a worker until its lease has run out."""
    worker.send_signal(signal.SIGSTOP)
    query = "SELECT lease_until < clock_timestamp() FROM assay.workers WHERE pid = %s"
    field.until_row(query, worker.pid)


def is_back(field: Field, worker: subprocess.Popen[str]) -> bool:
    """Whether a worker that was taken for lost works under another id."""
    query = "SELECT count(*) = 1 FROM assay.workers WHERE pid = %s AND NOT lost"
    return bool(field.value(query, worker.pid))


def test_stopped_in_a_step(field: Field) -> None:
    """The end of its step is written nowhere, and it begins no other; then it works again."""
    zombie = field.worker()
    (run,) = field.send("crash/one", {})
    field.until(lambda: field.effects("held"))
    stop(field, zombie)
    other = field.worker()
    field.until(lambda: len(field.effects("held")) == 2)
    field.release()
    completes(field, run)
    zombie.send_signal(signal.SIGCONT)
    field.until(lambda: is_back(field, zombie))

    first, second = field.effects("held")
    assert (zombie.pid, other.pid) == (first.pid, second.pid)
    assert [second.token] == memos(field, "held")
    assert [other.pid] == [one.pid for one in field.effects("after")]
    other.kill()
    completes(field, field.send("crash/two", {})[0])
    assert {zombie.pid} == {one.pid for one in field.effects("before")}


def test_stopped_with_its_commit_in_flight(field: Field) -> None:
    """The turn is taken over while the flush waits for the row: the flush writes nothing."""
    zombie = field.worker()
    (run,) = field.send("crash/one", {})
    with psycopg.connect(field.url) as taking_over:
        field.until(lambda: field.effects("held"))
        taking_over.execute("SELECT FROM assay.turns WHERE project_id = 1 FOR UPDATE")
        field.release()
        field.until(lambda: field.blocked("assay.commit("))
        stop(field, zombie)
        taking_over.execute("UPDATE assay.workers SET lost = true")
        taking_over.execute(
            "UPDATE assay.turns SET state = 0, worker_id = NULL, generation = generation + 1,"
            " losses = losses + 1 WHERE project_id = 1"
        )
    field.until(lambda: not field.blocked("assay.commit("))
    assert memos(field, "held") == []
    other = field.worker()
    completes(field, run)
    zombie.send_signal(signal.SIGCONT)
    field.until(lambda: is_back(field, zombie))

    first, second = field.effects("held")
    assert (zombie.pid, other.pid) == (first.pid, second.pid)
    assert [second.token] == memos(field, "held")
    assert [other.pid] == [one.pid for one in field.effects("after")]


def test_stopped_while_its_flush_lands(field: Field) -> None:
    """What was on its way before the take-over counts: the other worker goes on from there."""
    zombie = field.worker()
    (run,) = field.send("crash/one", {})
    with flush_held_up(field):
        stop(field, zombie)
    other = field.worker()
    completes(field, run)
    zombie.send_signal(signal.SIGCONT)
    field.until(lambda: is_back(field, zombie))

    (only,) = field.effects("held")
    assert zombie.pid == only.pid
    assert [only.token] == memos(field, "held")
    assert [other.pid] == [one.pid for one in field.effects("after")]
