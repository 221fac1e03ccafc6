"""How the exposures of an experiment grew: how often each variant was served until when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from assay.dashboard.volumes import EPOCH, width_of
from assay.store import rollups
from assay.store.rollups import Counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.store.pages import Reading
    from assay.store.rollups import ExposureCount

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A variant was served `n` times since the point before, `total` times until `at`."""

    at: datetime
    variant: str
    n: int
    total: int


async def growth(
    reading: Reading, *, project: int, experiment: str, control: str | None, until: datetime
) -> list[Reached]:
    """Points in the order of time, all variants at each, the *control* last; at first with none.

    Times are those of the runs' ids; forced choices and those without a unit are left out.
    """
    counted = Counted(project=project, since=EPOCH, until=until)
    counts = await rollups.exposures(reading, counted, experiment=experiment, per=_DAY)
    if not counts:
        return []
    since, width = counts[0].at, width_of(counts[-1].at + _DAY - counts[0].at)
    if width < _DAY:
        width = max(width, rollups.HOUR)
        counted = Counted(project=project, since=since, until=until)
        counts = await rollups.exposures(reading, counted, experiment=experiment, per=width)
    return _points(counts, width, until, control)


def _points(
    counts: Sequence[ExposureCount], width: timedelta, until: datetime, control: str | None
) -> list[Reached]:
    begins = EPOCH + (counts[0].at - EPOCH) // width * width
    served: Counter[tuple[int, str]] = Counter()
    for one in counts:
        served[(one.at - begins) // width, one.variant] += one.n
    variants = sorted({variant for _, variant in served}, key=lambda name: (name == control, name))
    points = [Reached(at=begins, variant=variant, n=0, total=0) for variant in variants]
    totals: Counter[str] = Counter()
    for place in range((counts[-1].at - begins) // width + 1):
        ends = min(until, begins + (place + 1) * width)
        for variant in variants:
            n = served[place, variant]
            totals[variant] += n
            points.append(Reached(at=ends, variant=variant, n=n, total=totals[variant]))
    return points
