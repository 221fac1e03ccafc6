"""The batch of a demo: which conversations it has, what is done of them, and what is left to do."""

from __future__ import annotations

import asyncio
import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import assay
from assay.access.principals import DEFAULT_PROJECT
from assay.cli import airline, trajectories
from assay.store import outcomes, runs
from assay.store import trials as store
from assay.store.outcomes import OutcomeFilter
from assay.store.pool import ReadPool
from assay.store.runs import RunFilter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from assay.cli.trajectories import Trajectory
    from assay.store.pages import Page, Reading

T = TypeVar("T")

PATIENCE = "7d"
SHORT_PATIENCE = "1s"
"""How long a scorer waits for a reward that is withheld, so that nobody has to wait for days."""

_PAGE = 500
_LOOK_S = 0.1


class Batch:
    """The conversations of one demo; equal arguments name the same batch, however often it is run.

    Args:
        url: of the database.
        client: sends the events.
        tasks: only the first so many.
        silence: the share of rewards that are withheld.
    """

    def __init__(
        self, url: str, client: assay.Client, *, tasks: int | None, silence: float
    ) -> None:
        parts = [f"first {tasks} tasks"] if tasks is not None else []
        parts += [f"silence {silence:g}"] if silence else []
        self.name = ", ".join(["tau-bench airline", *parts])
        self.session = ("demo", self.name)
        self._client = client
        self._silence = silence
        self._tasks = tasks
        self._pool = ReadPool(url)

    @cached_property
    def trajectories(self) -> dict[str, Trajectory]:
        """Those of the batch by their name in it."""
        return {
            f"{self.name}/{one.task_id}/{one.trial}": one
            for one in trajectories.load()
            if self._tasks is None or one.task_id < self._tasks
        }

    @cached_property
    def withheld(self) -> frozenset[str]:
        """The trajectories whose reward never comes: chosen by their names, always the same."""
        ranked = sorted(
            self.trajectories, key=lambda name: hashlib.sha256(name.encode()).hexdigest()
        )
        return frozenset(ranked[: round(self._silence * len(ranked))])

    async def start(self) -> None:
        """Send the events of conversations that have no run yet."""
        existing = {run.sessions["trajectory"] async for run in self._runs() if run.sessions}
        await self._client.send(
            [
                assay.Event(
                    airline.STARTED,
                    {
                        "trajectory": name,
                        "task": one.task_id,
                        "trial": one.trial,
                        "reward_timeout": SHORT_PATIENCE if name in self.withheld else PATIENCE,
                    },
                    sessions={"demo": self.name, "task": one.task_id, "trajectory": name},
                    key=f"conversation {name}",
                )
                for name, one in self.trajectories.items()
                if name not in existing
            ]
        )

    async def reward(self) -> None:
        """Send the rewards that scorers wait for, but for those that are withheld."""
        pending = {one async for one in self._pending()}
        names = {
            run.sessions["trajectory"]
            async for run in self._runs()
            if run.sessions and run.id in pending
        }
        await self._client.send(
            [
                assay.Event(
                    airline.REWARDED,
                    {"trajectory": name, "reward": self.trajectories[name].reward},
                    key=f"reward {name}",
                )
                for name in sorted(names - self.withheld)
            ]
        )

    async def until_played(self, tell: Callable[[int], object]) -> None:
        """Wait until all conversations are over; tells how many are."""
        while True:
            states = await self.run_states()
            over = sum(n for state, n in states.items() if state != "live")
            tell(over)
            if over >= len(self.trajectories):
                return
            await asyncio.sleep(_LOOK_S)

    async def until_scored(self, tell: Callable[[int], object]) -> None:
        """Wait until no outcome is pending; tells how many are not."""
        while True:
            states = await self.outcome_states()
            pending = states.get("pending", 0)
            tell(sum(states.values()) - pending)
            if not pending:
                return
            await asyncio.sleep(_LOOK_S)

    async def run_states(self) -> dict[str, int]:
        """Runs by how they ended."""
        return await self._read(
            lambda at: store.run_states(at, project=DEFAULT_PROJECT, session=self.session)
        )

    async def outcome_states(self) -> dict[str, int]:
        """Outcomes by their state."""
        return await self._read(
            lambda at: store.outcome_states(at, project=DEFAULT_PROJECT, session=self.session)
        )

    async def trials(self) -> list[store.Trials]:
        """Rewards by task, from the stored scores."""
        return await self._read(
            lambda at: store.trials(
                at, project=DEFAULT_PROJECT, session=self.session, by="task", name=airline.REWARD
            )
        )

    async def volume(self) -> store.Volume:
        """What was left behind."""
        return await self._read(
            lambda at: store.volume(at, project=DEFAULT_PROJECT, session=self.session)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def _read(self, ask: Callable[[Reading], Awaitable[T]]) -> T:
        async with self._pool.reading(DEFAULT_PROJECT) as reading:
            return await ask(reading)

    async def _runs(self) -> AsyncIterator[runs.RunRecord]:
        filter_ = RunFilter(
            function=airline.AGENT, app=airline.APP, session_key="demo", session_id=self.name
        )
        after: str | None = None
        while True:
            page = await self._read(_page_of_runs(filter_, after))
            for run in page.items:
                yield run
            after = page.next
            if after is None:
                return

    async def _pending(self) -> AsyncIterator[object]:
        after: str | None = None
        while True:
            page = await self._read(_page_of_pending(after))
            for one in page.items:
                yield one.run_id
            after = page.next
            if after is None:
                return


def _page_of_runs(
    filter_: RunFilter, after: str | None
) -> Callable[[Reading], Awaitable[Page[runs.RunRecord]]]:
    return lambda reading: runs.page(
        reading, project=DEFAULT_PROJECT, filter_=filter_, limit=_PAGE, after=after
    )


def _page_of_pending(
    after: str | None,
) -> Callable[[Reading], Awaitable[Page[outcomes.OutcomeRecord]]]:
    return lambda reading: outcomes.page(
        reading,
        project=DEFAULT_PROJECT,
        filter_=OutcomeFilter(name=airline.REWARD, state="pending"),
        limit=_PAGE,
        after=after,
    )
