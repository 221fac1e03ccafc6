"""A worker that can die as a killed process does, and that says whether it is at rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from assay.engine.worker import Worker
from assay.errors import AssayError
from assay.store import turns

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from assay.store.turns import Flush, Written


@dataclass(slots=True)
class Fate:
    """When a process dies, with all of its workers.

    Attributes:
        commits: how many there were.
        dies_at: the commit that the process does not survive.
        is_before: whether that one is not even sent.
    """

    commits: int = 0
    dies_at: int | None = None
    is_before: bool = False
    workers: list[MortalWorker] = field(default_factory=list)

    @property
    def is_fulfilled(self) -> bool:
        """Whether the process is dead."""
        return any(worker.is_dead for worker in self.workers)

    def check(self) -> None:
        """Refuse to have been told of a death that never came."""
        if self.dies_at is not None and not self.is_fulfilled:
            raise AssayError(
                f"the process was to die at commit {self.dies_at} of the sandbox, "
                f"and there were {self.commits}: no crash took place",
                code="crash_missed",
                hint="count the commits from where the crash is asked for, with box.commits",
            )

    def strike(self) -> None:
        """Let the process die now."""
        for worker in self.workers:
            worker.die()


class MortalWorker(Worker):
    """A worker of a sandbox.

    Attributes:
        fate: when it dies; set before it starts.
        is_dead: whether it has died.
        moves: grows with everything that it does, so that two looks can be compared.
    """

    fate: Fate
    is_dead = False
    moves = 0
    _is_claiming = False

    @property
    def is_at_rest(self) -> bool:
        """Whether no run is live here, and what follows a commit or a midnight is done."""
        is_busy = self._is_claiming or self._live or not self._holdings.is_settled
        is_to_look = bool(self.options.plans) and self._looking.is_due
        return not is_busy and not is_to_look and self._aftermath.is_idle

    @property
    def live(self) -> list[UUID]:
        """The runs that are live here."""
        return list(self._live)

    async def next_due(self, before: datetime) -> datetime | None:
        """When the next of its turns is due."""
        return await turns.next_due(
            await self._db.claims.get(),
            project=self.project,
            app=self.app,
            fns=list(self._functions),
            horizon=before,
        )

    async def stand_in(self) -> None:
        """Take over from workers that were lost."""
        await self._sweeper.sweep(await self._db.sweeps.get())
        self.poke()

    def die(self) -> None:
        """Stop at once: what was not committed is gone, and nothing is given back."""
        self.is_dead = True
        for run in list(self._live.values()):
            run.lose()
        for task in self._tasks:
            task.cancel()
        self._timers.close()

    async def bury(self) -> None:
        """Free what a killed process no longer holds; its lease runs out by itself."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._lease.abandon)
        await self._db.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self._bodies.close()

    @override
    def may_act(self, lease: UUID) -> bool:
        return not self.is_dead and super().may_act(lease)

    @override
    async def _claim(self) -> int:
        self._is_claiming = True
        try:
            claimed = await super()._claim()
        finally:
            self._is_claiming = False
        self.moves += claimed
        return claimed

    @override
    async def _commit(self, flush: Flush) -> dict[UUID, Written]:
        self.moves += 1
        fate = self.fate
        fate.commits += 1
        is_last = fate.commits == fate.dies_at
        told = {} if is_last and fate.is_before else await super()._commit(flush)
        if is_last:
            fate.strike()
            # The committer itself is among the cancelled: it ends here, before anything follows.
            await asyncio.sleep(0)
        return told
