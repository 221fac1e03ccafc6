"""Kill -9 of a worker at each point; another one takes over by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from assay.clock import DatabaseClock
from crash.application import RETRIES
from crash.field import PATIENCE_S, Field, kill

if TYPE_CHECKING:
    from collections.abc import Iterator


def memos(field: Field, name: str) -> list[str]:
    """What the journal holds of a step."""
    query = "SELECT output FROM assay.journal WHERE name = %s"
    return [row[0].strip('"') for row in field.rows(query, name)]


def completes(field: Field, run: str) -> None:
    """Wait until a run is completed."""
    query = "SELECT status = 'completed' FROM assay.runs WHERE id = %s"
    field.until_row(query, UUID(run))


@contextmanager
def flush_held_up(field: Field) -> Iterator[int]:
    """A run whose worker is in the flush of its first step, for the block; gives the backend."""
    with psycopg.connect(field.url) as holder:
        field.until(lambda: field.effects("held"))
        holder.execute("SELECT FROM assay.turns WHERE project_id = 1 FOR UPDATE")
        field.release()
        field.until(lambda: field.blocked("assay.commit("))
        yield field.blocked("assay.commit(")[0]


def test_killed_in_a_step(field: Field) -> None:
    """Another worker runs the step again, by itself."""
    worker = field.worker()
    (run,) = field.send("crash/one", {})
    field.until(lambda: field.effects("held"))
    other = field.worker()
    kill(worker)
    field.until(lambda: len(field.effects("held")) == 2)
    field.release()
    completes(field, run)

    first, second = field.effects("held")
    assert (worker.pid, other.pid) == (first.pid, second.pid)
    assert [second.token] == memos(field, "held")


def test_killed_after_an_effect_and_before_its_commit(field: Field) -> None:
    """The step runs again, since nobody can know that it had run; its memo is there once."""
    worker = field.worker()
    (run,) = field.send("crash/one", {})
    with flush_held_up(field) as backend:
        kill(worker)
        field.rows("SELECT pg_terminate_backend(%s::int)", backend)
        field.until(lambda: not field.blocked("assay.commit("))
    field.worker()
    completes(field, run)

    first, second = field.effects("held")
    assert worker.pid == first.pid != second.pid
    assert [second.token] == memos(field, "held")


def test_killed_during_a_flush_that_lands(field: Field) -> None:
    """What the server has got it commits: the step does not run again."""
    worker = field.worker()
    (run,) = field.send("crash/one", {})
    with flush_held_up(field):
        kill(worker)
    other = field.worker()
    completes(field, run)

    (only,) = field.effects("held")
    assert [only.token] == memos(field, "held")
    assert [other.pid] == [one.pid for one in field.effects("after")]


def test_killed_while_its_runs_are_parked(field: Field) -> None:
    """A parked run is rows only: whoever lives resumes it."""
    worker = field.worker()
    (run,) = field.send("crash/waiter", {"n": 1})
    field.until_row("SELECT bool_and(state = 0) FROM assay.turns WHERE generation > 0")
    kill(worker)
    other = field.worker()
    field.send("crash/go", {"n": 1})
    completes(field, run)

    assert [other.pid] == [one.pid for one in field.effects("woken")]


def test_a_step_that_kills_its_worker_fails_in_the_end(field: Field) -> None:
    """The first loss is not counted, for no row says which step it was; then each attempt is."""
    since = str(DatabaseClock().time())
    workers = [field.worker("hurried", since)]
    (run,) = field.send("crash/killer", {})

    def is_settled() -> bool:
        if workers[-1].poll() is not None:
            workers.append(field.worker("hurried", since))
        return bool(field.value("SELECT status IS NOT NULL FROM assay.runs"))

    field.until(is_settled)

    status, error = field.rows("SELECT status, error FROM assay.runs WHERE id = %s", UUID(run))[0]
    assert status == "failed"
    assert "worker_lost" in error
    assert len(field.effects("deadly")) == 1 + RETRIES + 1
    assert [worker.poll() for worker in workers] == [-9] * (1 + RETRIES + 1) + [None]


def test_killed_between_the_commit_of_a_wait_and_its_look(field: Field) -> None:
    """The event came in between; who takes over looks again."""
    doomed = field.worker("deadly")
    with psycopg.connect(field.url) as holder:
        # No claim until the event is on its way, so that it comes while the wait is registered.
        holder.execute("LOCK TABLE assay.waits IN SHARE MODE")
        (run,) = field.send("crash/waiter", {"n": 1})
        field.until(lambda: field.blocked("assay.commit("))
        field.send("crash/go", {"n": 1})
    doomed.wait(PATIENCE_S)
    assert field.value("SELECT count(*) = 1 FROM assay.waits WHERE resolved_at IS NULL")
    field.worker()
    completes(field, run)

    assert len(field.effects("woken")) == 1


def test_a_sender_killed_between_the_commit_of_an_event_and_its_look(field: Field) -> None:
    """Its lease runs out, and a worker gives the event to the waits in its place."""
    field.worker()
    (run,) = field.send("crash/waiter", {"n": 1})
    field.until_row("SELECT count(*) = 1 FROM assay.waits")
    field.deadly_sender("crash/go", {"n": 1}).wait(PATIENCE_S)
    completes(field, run)

    assert len(field.effects("woken")) == 1
