"""How many runs were queued when, by what became of them: the bars above lists and figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assay.store import rollups
from assay.store.rollups import Counted
from assay.store.runs import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.store.pages import Reading
    from assay.store.rollups import RunCount
    from assay.store.runs import RunFilter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_BARS = 60
MOST_ROWS = 50_000
"""So many runs are counted one by one for bars of less than an hour; of more each hour is a bar."""
_MINUTES, _HOURS, _DAYS = (1, 2, 5, 10, 15, 30), (1, 2, 3, 6, 12), (1, 2, 7, 14, 28)
_WIDTHS = (
    *(timedelta(minutes=n) for n in _MINUTES),
    *(timedelta(hours=n) for n in _HOURS),
    *(timedelta(days=n) for n in _DAYS),
)
_STRETCHES = tuple(timedelta(days=n) for n in (1, 7, 30, 90, 365))
_COUNTED = {"function", "app", "status", "queued_after", "queued_before"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What was queued from `since` on, before `until`, by what became of it."""

    since: datetime
    until: datetime
    completed: int
    failed: int
    cancelled: int
    live: int

    @property
    def n(self) -> int:
        """All of them."""
        return self.completed + self.failed + self.cancelled + self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Bars side by side.

    Attributes:
        begins: of the first bar, `width_s` before the next one: what is asked for may begin later.
        since, until: what is asked for; all bars lie in between.
    """

    since: datetime
    until: datetime
    begins: datetime
    width_s: float
    bars: list[Bar]

    @property
    def n(self) -> int:
        """Runs in all bars."""
        return sum(bar.n for bar in self.bars)

    @property
    def n_failed(self) -> int:
        """Those that failed."""
        return sum(bar.failed for bar in self.bars)

    @property
    def most(self) -> int:
        """Runs in the highest bar, 1 at least."""
        return max([1, *(bar.n for bar in self.bars)])


def volume(since: datetime, until: datetime, width: timedelta, runs: Iterable[RunCount]) -> Volume:
    """Counts as bars so wide; *runs* are counted by that width, or a divisor of it."""
    begins = since - (since - EPOCH) % width
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for one in runs:
        found[(one.at - begins) // width][one.status] += one.n
    count = max(1, -((begins - until) // width))
    return Volume(
        since=since,
        until=until,
        begins=begins,
        width_s=width.total_seconds(),
        bars=[
            Bar(
                since=max(since, begins + width * place),
                until=min(until, begins + width * (place + 1)),
                completed=found[place]["completed"],
                failed=found[place]["failed"],
                cancelled=found[place]["cancelled"],
                live=found[place]["live"],
            )
            for place in range(count)
        ],
    )


def width_of(length: timedelta) -> timedelta:
    """The width of bars that are not too many for this length of time."""
    return next((one for one in _WIDTHS if length / one <= MOST_BARS), _WIDTHS[-1])


async def of_list(
    reading: Reading, asked: RunFilter, *, project: int, newest: datetime, now: datetime
) -> Volume | None:
    """The runs of a list, in the time that it is of.

    Without one it is the last day, or as many as reach back to the *newest* run that fits. None
    where no counts tell of what else is asked for.
    """
    others = {name for name, value in asdict(asked).items() if value is not None} - _COUNTED
    if others or asked.status not in {None, *ENDED}:
        return None
    until = min(now, asked.queued_before or now)
    since = asked.queued_after
    if since is None:
        reach = next((one for one in _STRETCHES if until - one <= newest), None)
        since = EPOCH if reach is None else until - (until - EPOCH) % rollups.HOUR - reach
    counted = Counted(
        project=project, since=since, until=until, app=asked.app, function=asked.function
    )
    if until - since > _STRETCHES[0]:
        began = await rollups.began(reading, counted)
        counted = replace(counted, since=max(since, began or since))
    return await _counted(reading, counted, asked.status)


async def _counted(reading: Reading, counted: Counted, status: str | None) -> Volume | None:
    since, until = counted.since, counted.until
    if since >= until:
        return None
    width = width_of(until - since)
    found = await rollups.runs(reading, counted, per=max(width, rollups.HOUR))
    if width < rollups.HOUR:
        if sum(one.n for one in found) > MOST_ROWS:
            width = rollups.HOUR
        else:
            found = await rollups.runs(reading, counted, per=width)
    if status is not None:
        found = [one for one in found if one.status == status]
    return volume(since, until, width, found)
