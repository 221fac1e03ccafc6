"""Four weeks of the help desk of `assay demo`, gone through by a clock that is moved by hand.

Nothing but time is made: events go through the real ingest, runs, scorers, exposures and daily
looks through the real engine, and all of it stays in the database as if it had happened.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import assay
from assay.access.principals import DEFAULT_PROJECT
from assay.cli import helpdesk
from assay.cli.customers import DAYS, ERAS, TICKS, era, instant, tick_of, tickets
from assay.errors import AssayError
from assay.experiments import daily, sight
from assay.experiments.hashing import choose
from assay.ids import floor_at, to_text
from assay.store import experiments, health, looks, partitions, runs
from assay.store.pool import ReadPool, connect_blocking
from assay.store.runs import RunFilter
from assay.testing.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.store.pages import Reading

NAME = "help desk"
_PROJECT = "default"
_SLACK_S = 2.0
_LOOK_S = 0.2
_CHANCE_BITS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """How far the four weeks have gone.

    Attributes:
        begun: the midnight at their beginning.
        tick: the step of the clock that was begun last.
        is_over: whether all of it was gone through.
    """

    begun: datetime
    tick: int
    is_over: bool

    @property
    def end(self) -> datetime:
        """The midnight at their end, which is the cutoff of the last look."""
        return self.begun + timedelta(days=DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What a customer sends at a step of the clock."""

    tick: int
    name: str
    data: dict[str, object]
    sessions: dict[str, str] | None = None

    def event(self, begun: datetime, seed: int) -> assay.Event:
        """The event, always of the same id, so that nothing is taken in twice."""
        key = f"{seed}/{self.name}/{self.data['ticket']}"
        chance = hashlib.sha256(key.encode()).digest()[: _CHANCE_BITS // 8]
        number = floor_at(begun + instant(self.tick)).int | int.from_bytes(chance)
        return assay.Event(
            self.name, self.data, sessions=self.sessions, id=to_text(UUID(int=number))
        )


class Simulation:
    """The four weeks; what was gone through before is gone on with.

    Args:
        url: of the database.
        seed: of what the customers do.
        now: the present; the four weeks end at the midnight before.
        lease_s: after so long another process may go on where this one was killed.
    """

    def __init__(self, url: str, *, seed: int, now: datetime, lease_s: float) -> None:
        self._url = url
        self._seed = seed
        self._now = now
        self._lease_s = lease_s
        self._pool = ReadPool(url)

    async def run(self, tell: Callable[[int], object]) -> Weeks:
        """Go through what is left of them; tells how many days have gone.

        Raises:
            AssayError: `demo_not_alone`.
        """
        found = await self.progress()
        if not found.is_over:
            await self._alone()
            await asyncio.to_thread(self._make_partitions, found.begun)
            sent = _sent(self._seed)
            for half, (weights, _) in enumerate(ERAS):
                ticks = [tick for tick in range(found.tick, TICKS) if era(tick) == half]
                if ticks:
                    await self._deployed(weights, found.begun, ticks, sent, tell)
        tell(DAYS)
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def progress(self) -> Weeks:
        """How far they have gone."""
        async with self._pool.reading(DEFAULT_PROJECT) as reading:
            return await _progress(reading, self._now)

    async def _deployed(
        self,
        weights: dict[str, float],
        begun: datetime,
        ticks: Sequence[int],
        sent: dict[int, list[_Sent]],
        tell: Callable[[int], object],
    ) -> None:
        """Go through these steps of the clock with the code of these weights."""
        async with Sandbox(
            helpdesk.desk(weights),
            database_url=self._url,
            start=begun + instant(ticks[0]),
            lease_s=self._lease_s,
        ) as box:
            # What a killed process held is taken over once its lease is out.
            await box.until(self._is_free)
            for tick in ticks:
                await box.advance(begun + instant(tick) - box.clock.now())
                await box.send([one.event(begun, self._seed) for one in sent[tick]])
                tell(instant(tick).days)
            await box.advance(begun + instant(ticks[-1] + 1) - box.clock.now())

    async def _is_free(self) -> bool:
        async with self._pool.reading(DEFAULT_PROJECT) as reading:
            filter_ = RunFilter(app=helpdesk.APP, status="running")
            page = await runs.page(reading, project=DEFAULT_PROJECT, filter_=filter_, limit=1)
            return not page.items

    async def _alone(self) -> None:
        """Wait until no worker is left: one of the present would look at what is still to come."""
        patience = self._lease_s + _SLACK_S
        while (others := await asyncio.to_thread(self._others)) and patience > 0:
            await asyncio.sleep(_LOOK_S)
            patience -= _LOOK_S
        if others:
            raise AssayError(
                f"another worker uses this database: {', '.join(others)}",
                code="demo_not_alone",
                hint="stop it, or give the demo a database of its own with --data-dir",
            )

    def _others(self) -> list[str]:
        with connect_blocking(self._url) as connection:
            return [
                f"{one.app} (process {one.pid} on {one.host})"
                for one in health.workers(connection)
                if one.app is not None and one.late_s <= 0
            ]

    def _make_partitions(self, begun: datetime) -> None:
        with connect_blocking(self._url) as connection:
            partitions.add(connection, begun)


async def _progress(reading: Reading, now: datetime) -> Weeks:
    name, project = helpdesk.EXPERIMENT, DEFAULT_PROJECT
    plans = await experiments.plans(reading, project=project, experiment=name)
    if not plans:
        begun = daily.last_cutoff(now) - timedelta(days=DAYS)
        return Weeks(begun=begun, tick=0, is_over=False)
    # The plan is made known when the first worker starts.
    first = plans[0]
    begun = sight.midnight(first.declared_at)
    looked = await looks.all_of(reading, project=project, experiment=name, version=first.version)
    page = await runs.page(
        reading,
        project=project,
        filter_=RunFilter(function=helpdesk.DESK, session_key="demo", session_id=NAME),
        limit=1,
    )
    return Weeks(
        begun=begun,
        tick=tick_of(page.items[0].queued_at - begun) if page.items else 0,
        is_over=any(one.look.cutoff >= begun + timedelta(days=DAYS) for one in looked),
    )


def _sent(seed: int) -> dict[int, list[_Sent]]:
    """What all customers send, by the step of the clock."""
    found: dict[int, list[_Sent]] = defaultdict(list)
    for one in tickets(seed):
        ticket = {"ticket": one.id}
        found[one.tick].append(
            _Sent(
                tick=one.tick,
                name=helpdesk.OPENED,
                data={**ticket, "account": one.account, "is_refused": one.is_refused},
                sessions={"demo": NAME, "account": one.account, **ticket},
            )
        )
        style = choose(_PROJECT, helpdesk.EXPERIMENT, "", ERAS[era(one.tick)][0], one.account)
        after = one.tells[style]
        if after is not None and not one.is_refused:
            told = {**ticket, "helped": one.helped[style]}
            found[one.tick + after].append(
                _Sent(tick=one.tick + after, name=helpdesk.FEEDBACK, data=told)
            )
    return found
