"""The turns that a worker holds in the database, set against those that it works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import psycopg

from assay.engine.writes import Writes
from assay.store import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from assay.clock import Clock
    from assay.store.pool import Link


class Held(Protocol):
    """A run that is live here."""

    generation: int

    def lose(self) -> None:
        """End without a trace."""
        ...


class Holdings:
    """Frees turns that nobody here works on any more.

    Args:
        link: the one that claims: what it lost with its connection is looked for here.
        follow: takes what may have been committed and is to be looked after.
    """

    def __init__(
        self,
        link: Link,
        *,
        project: int,
        clock: Clock,
        follow: Callable[[Sequence[Writes]], None],
    ) -> None:
        self._link = link
        self._project = project
        self._clock = clock
        self._follow = follow
        self._compared = 0
        self._dropped: list[tuple[UUID, int]] = []
        self._doubted: list[Writes] = []

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to free."""
        return not (self._dropped or self._doubted)

    def drop(self, run: UUID, generation: int) -> None:
        """Note a turn that is no longer worked on."""
        self._dropped.append((run, generation))

    def doubt(self, batch: Sequence[Writes]) -> None:
        """Note writes of which nobody can tell whether they were committed.

        Waits among them are looked after once their turns are free, since then the flush is over;
        events that were sent are swept by themselves.
        """
        self._doubted += [_looks_of(writes) for writes in batch if writes.looks]

    async def settle(self, worker: UUID, live: Mapping[UUID, Held]) -> None:
        """Free what was dropped.

        Over a new connection also compare with the database: the answer of a claim may have been
        lost, and a server that crashed may have forgotten the last claims and returns.
        """
        connection = await self._link.get()
        if self._compared != self._link.openings:
            opening = self._link.openings
            held = await turns.held(connection, project=self._project, worker=worker)
            for run_id, run in list(live.items()):
                if held.get(run_id) != run.generation:
                    run.lose()
            self._dropped += [one for one in held.items() if one[0] not in live]
            self._compared = opening
        if self._dropped:
            dropped = list(self._dropped)
            await turns.give_back(connection, dropped, project=self._project, now=self._clock.now())
            del self._dropped[: len(dropped)]
        if self._doubted:
            doubted, self._doubted = self._doubted, []
            self._follow(doubted)

    async def release(self, worker: UUID) -> bool:
        """Free all that is held, since the worker ends; whether nothing is left."""
        self._compared = 0
        is_looked_after = not self._doubted
        try:
            await self.settle(worker, {})
        except psycopg.Error:
            return False
        return is_looked_after


def _looks_of(writes: Writes) -> Writes:
    looks = Writes()
    looks.looks += writes.looks
    return looks
