"""What an event resolves: the open waits that it matches by value and condition.

Commit first, then look, on both sides: an event that is committed looks for waits here, a wait
that is committed looks for events (`look`). At least one of the two sees the other.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from assay.engine.conditions import Condition
from assay.engine.matching import hash_event
from assay.engine.schemas import fits
from assay.ids import to_text
from assay.store import events as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assay.clock import Clock
    from assay.model.events import Json
    from assay.store.events import OpenWait
    from assay.store.pool import Link

PAGE = 1_000
_FIRST = (UUID(int=0), UUID(int=0))


class Arrival(NamedTuple):
    """A committed event, as waits see it.

    Attributes:
        received_at: given where waits that began later must not take it: in a sweep. Just after
            its commit, a wait that can be seen began before or at the same time.
    """

    id: UUID
    name: str
    data: Json
    ts: datetime
    sessions: dict[str, str] | None
    received_at: datetime | None = None

    def variable(self) -> dict[str, Json]:
        """The event as conditions and bodies see it."""
        return {
            "id": to_text(self.id),
            "name": self.name,
            "data": self.data,
            "ts": self.ts.astimezone(UTC).isoformat(),
            "sessions": dict(self.sessions or {}),
        }


class Pair(NamedTuple):
    """An event that a wait may take."""

    wait: OpenWait
    event: Arrival


class Arrivals:
    """Gives events to the waits of one project."""

    def __init__(self, link: Link, *, project: int, clock: Clock) -> None:
        self._link = link
        self._project = project
        self._clock = clock

    async def resolve(
        self, events: Sequence[Arrival], shapes: Sequence[tuple[str, int, list[str]]]
    ) -> list[UUID]:
        """Resolve all waits that these events match; gives the runs that were woken."""
        by_hash: dict[int, list[Arrival]] = {}
        for event in events:
            for name, _, paths in shapes:
                if name == event.name:
                    value = hash_event(event.name, event.data, paths)
                    if value is not None:
                        by_hash.setdefault(value, []).append(event)
        woken: list[UUID] = []
        after = _FIRST
        while by_hash:
            waits = await store.waiting(
                await self._link.get(),
                project=self._project,
                hashes=list(by_hash),
                after=after,
                limit=PAGE,
            )
            pairs = [
                Pair(wait, event)
                for wait in waits
                for event in by_hash[wait.hash]
                if event.received_at is None or event.received_at >= wait.since
            ]
            woken += await self.give(pairs)
            if len(waits) < PAGE:
                break
            after = (waits[-1].run_id, waits[-1].step)
        return woken

    async def give(self, pairs: Iterable[Pair]) -> list[UUID]:
        """Hand over events that fit, one to each wait and once to each run; gives the runs woken.

        Of several events that a wait matches the first takes it; of several waits of a run that
        match an event, the first by key. What is more for the same run goes in a next round.
        """
        woken: list[UUID] = []
        left = await self._fitting(pairs)
        while left:
            runs: set[UUID] = set()
            now, later = [], []
            for pair in left:
                run = pair.wait.run_id
                if run in runs:
                    later.append(pair)
                    continue
                runs.add(run)
                now.append((run, pair.wait.step, pair.event.id, json.dumps(pair.event.variable())))
            woken += await store.resolve(
                await self._link.get(), now, project=self._project, now=self._clock.time()
            )
            left = later
        return woken

    async def _fitting(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The pairs of which also holds what no index can answer; misfits are told on the event."""
        fitting: list[Pair] = []
        wrong: dict[UUID, set[str]] = {}
        for pair in pairs:
            parts = json.loads(pair.wait.condition) if pair.wait.condition else {}
            schema = parts.get("schema")
            misfit = None if schema is None else fits(schema, pair.event.data)
            if misfit is not None:
                wrong.setdefault(pair.event.id, set()).add(f"a wait did not take it: {misfit}")
            elif _holds(parts, pair.event):
                fitting.append(pair)
        if wrong:
            warnings = [(event, "; ".join(sorted(texts))) for event, texts in wrong.items()]
            await store.warn(await self._link.get(), project=self._project, warnings=warnings)
        return fitting


def _holds(parts: dict[str, Any], event: Arrival) -> bool:
    """Whether the rest of a wait's condition holds of an event.

    Args:
        parts: "rest" (CEL or null) and "event" (the run's own, or null), if there is a condition.
        event: the arriving one.
    """
    if parts.get("rest") is None:
        return True
    return Condition.compile(parts["rest"]).holds(
        {"async": event.variable(), "event": parts.get("event") or {}}
    )
