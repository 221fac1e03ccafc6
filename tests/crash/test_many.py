"""Two hundred runs in flight, and processes killed under them: everything is there exactly once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.ids import to_text
from assay.store.embedded import EmbeddedPostgres
from assay.store.migrations import migrate
from assay.store.pool import connect_blocking
from crash.field import Effect, Field, kill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNS = 200
UNDER_WAY = 2
"""Effects that a process may be in at one instant, between their first line and their log's."""


def begin(field: Field, count: int = RUNS) -> None:
    """Send the events that start the runs, a hundred at a time."""
    for first in range(0, count, 100):
        field.send("crash/work", *({"n": n} for n in range(first, min(first + 100, count))))


def waiting(field: Field, count: int) -> bool:
    """Whether so many runs wait for their event."""
    return bool(
        field.value(
            "SELECT count(*) = %s FROM assay.waits w JOIN assay.turns t USING (project_id, run_id)"
            " WHERE w.kind = 'wait' AND t.state = 0",
            count,
        )
    )


def resume(field: Field, count: int = RUNS) -> None:
    """Send the events that they wait for."""
    field.send("crash/go", *({"n": n} for n in range(count)))


def ended(field: Field) -> bool:
    """Whether no run is live."""
    return bool(field.value("SELECT count(*) = 0 FROM assay.turns"))


def check(field: Field, count: int = RUNS) -> None:
    """Every run, memo, score, defer and child is there once."""
    runs = Counter(field.rows("SELECT fn, status FROM assay.runs"))
    assert {
        ("work", "completed"): count,
        ("child", "completed"): count,
        ("judge", "completed"): count,
    } == runs, field.rows("SELECT fn, error FROM assay.runs WHERE error IS NOT NULL LIMIT 3")
    names = ("first", "note", "style", "served", "left", "right", "inner", "going", "last")
    assert dict.fromkeys((*names, "in-child", "judged"), count) == Counter(
        name for (name,) in field.rows("SELECT name FROM assay.journal")
    )
    places = field.rows("SELECT run_id, seq FROM assay.journal")
    assert len(set(places)) == len(places)
    for parents in ("parent_step", "parent_defer"):
        query = f"SELECT count(DISTINCT parent_run) FROM assay.runs WHERE {parents} IS NOT NULL"
        assert count == field.value(query)
    scores = field.rows("SELECT name, value, run_id FROM assay.scores")
    assert {"noted": count, "quality": count} == Counter(name for name, _, _ in scores)
    assert 2 * count == len({(name, run) for name, _, run in scores})
    served = field.rows("SELECT run_id, variant FROM assay.exposures")
    assert count == len({run for run, _ in served}) == len(served)
    counted = field.rows("SELECT metric, run_id, variant FROM assay.experiment_scores")
    expected = {
        (name, *exposure) for name in ("noted", "quality", "run.duration") for exposure in served
    }
    assert Counter(counted) == Counter(expected)
    assert not field.rows("SELECT run_id FROM assay.score_references")
    assert {("observed",): count} == Counter(field.rows("SELECT state FROM assay.outcomes"))
    assert {("started",): count} == Counter(field.rows("SELECT state FROM assay.defers"))
    assert not field.rows("SELECT run_id FROM assay.waits")


def ran_again(field: Field) -> list[Effect]:
    """Executions that came after the one whose memo the journal holds."""
    memos = {
        (to_text(run), name): output.strip('"')
        for run, name, output in field.rows("SELECT run_id, name, output FROM assay.journal")
    }
    last = {(effect.run, effect.step): effect for effect in field.effects()}
    return [effect for place, effect in last.items() if memos[place] != effect.token]


def reached(field: Field, step: str, count: int) -> Callable[[], bool]:
    """Whether so many effects of a step have been seen."""
    return lambda: len(field.effects(step)) >= count


def test_workers_killed_again_and_again(field: Field) -> None:
    """In steps, in flushes, while invoking, while all wait, while all resume."""
    one, two = field.workers(2)
    begin(field)
    field.until(reached(field, "first", 40))
    kill(one)
    three = field.worker()
    field.until(reached(field, "in-child", 60))
    kill(two)
    four = field.worker()
    field.until(lambda: waiting(field, RUNS))
    kill(three)
    resume(field)
    field.until(reached(field, "last", 50))
    kill(four)
    field.worker()
    field.until(lambda: ended(field))

    check(field)
    assert not ran_again(field)


def test_workers_stopped_and_continued(field: Field) -> None:
    """Zombies among two hundred runs: what they do once they go on counts nowhere twice."""
    one, _ = field.workers(2)
    begin(field)
    field.until(reached(field, "first", 40))
    one.send_signal(signal.SIGSTOP)
    field.until(lambda: waiting(field, RUNS))
    one.send_signal(signal.SIGCONT)
    resume(field)
    field.until(lambda: ended(field))

    check(field)
    # What it was in the middle of when it was stopped, it does.
    assert {one.pid} >= {effect.pid for effect in ran_again(field)}
    assert len(ran_again(field)) <= UNDER_WAY


def test_the_server_killed_under_workers(data_dir: Path, tmp_path: Path) -> None:
    """Kill -9 of PostgreSQL twice; the workers go on by themselves once it is there again."""
    with EmbeddedPostgres(data_dir) as server:
        with connect_blocking(server.url) as connection:
            migrate(connection, now=datetime.now(UTC))
        with Field(server.url, tmp_path) as field:
            field.workers(2)
            begin(field)
            for step in ("first", "in-child"):
                field.until(reached(field, step, 50))
                pid = (data_dir / "postgres" / "postmaster.pid").read_text().split()[0]
                os.kill(int(pid), signal.SIGKILL)
                server.start()
            field.until(lambda: waiting(field, RUNS))
            resume(field)
            field.until(lambda: ended(field))

            check(field)
            assert not ran_again(field)
