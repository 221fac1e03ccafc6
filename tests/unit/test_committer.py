"""What one run holds that can't be written is that run's end alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest

from assay.engine.committer import Committer
from assay.engine.writes import Writes
from assay.store.turns import Written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.store.turns import Flush, Row

WRITTEN = Written(wakes=0, cancelled=False, collected=[])


class Run:
    """A run that notes what becomes of its writes."""

    def __init__(self, number: int, told: list[str]) -> None:
        self.id = UUID(int=number)
        self._told = told

    def take(self) -> tuple[Writes, Row]:
        """Nothing but its turn."""
        return Writes(), {"run": self.id, "gen": 1}

    def committed(self, writes: Writes, written: Written) -> None:
        """Note it."""
        assert (writes.finish, written) == (None, WRITTEN)
        self._told.append(f"{self.id.int} committed")

    def fault(self, error: Exception) -> None:
        """Note it."""
        self._told.append(f"{self.id.int} fault {type(error).__name__}")

    def lose(self) -> None:
        """Note it."""
        self._told.append(f"{self.id.int} lost")

    def refuse(self, error: psycopg.Error) -> None:
        """Note it."""
        self._told.append(f"{self.id.int} refused {error.sqlstate}")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (psycopg.errors.ProgramLimitExceeded(), "2 refused 54000"),
        (psycopg.errors.InvalidTextRepresentation(), "2 refused 22P02"),
        (UnicodeEncodeError("utf-8", "x", 0, 1, "a surrogate"), "2 fault UnicodeEncodeError"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_can_not_be_written_ends_its_run_alone(error: Exception, told: str) -> None:
    """Those that were in one flush with it are written."""
    assert asyncio.run(flushed(error)) == ["1 committed", told, "3 committed"]


def test_with_the_connection_all_runs_of_its_flush_are_lost() -> None:
    """Nobody can tell whether they were written."""
    lost = ["1 lost", "2 lost", "3 lost"]
    assert asyncio.run(flushed(psycopg.OperationalError("the connection is gone"))) == lost


async def flushed(error: Exception) -> list[str]:
    """What is told to three runs in one flush, of which the second can't be written."""
    told: list[str] = []

    async def commit(flush: Flush) -> Mapping[UUID, Written]:
        if any(turn["run"] == UUID(int=2) for turn in flush.turns):
            raise error
        return {turn["run"]: WRITTEN for turn in flush.turns}

    async def prepare(_: object) -> None: ...

    def ignore(_: object) -> None: ...

    committer = Committer(commit, prepare=prepare, follow=ignore, doubt=ignore)
    for number in (1, 2, 3):
        committer.submit(Run(number, told))
    flushing = asyncio.create_task(committer.run())
    await committer.drained()
    flushing.cancel()
    return told
