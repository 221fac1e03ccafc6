"""The units behind the counts of results: what each adds to the tally of what it was first served.

Entry point: `page`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.experiments.analysis import unit_tally
from assay.store import experiments
from assay.store.moments import of_units, units_having
from assay.store.pages import Page, page_of

if TYPE_CHECKING:
    from assay.model.moments import Counting
    from assay.model.results import Counted, UnitTally
    from assay.store.experiments import UnitFilter, UnitRecord
    from assay.store.pages import Reading

PATIENCE = 1_000
"""So many units are looked through for a page before all are summed."""


@dataclass(frozen=True, slots=True)
class Tallied:
    """A unit with what it adds: None where it was first served before the plan in force."""

    unit: UnitRecord
    tally: UnitTally | None


async def page(
    cursor: Reading,
    counting: Counting,
    *,
    metric: str,
    having: Counted | None,
    filter_: UnitFilter,
    limit: int,
    after: str | None,
    patience: int = PATIENCE,
) -> Page[Tallied]:
    """A page of units by name.

    Args:
        cursor: of the project.
        counting: which runs count.
        metric: of which results are told.
        having: only units with runs that count as that.
        filter_: only units that fit.
        limit: most units.
        after: cursor of the page before.
        patience: how many units are looked through before all are summed.

    Raises:
        AssayError: `bad_cursor`.
    """
    page = await _next(cursor, counting, metric, filter_, limit=limit, after=after)
    if having is None:
        return page
    found = _fitting(page, having)
    looked = limit
    while page.next is not None and len(found) <= limit:
        if looked >= patience:
            # They are rare: to sum all once takes less than to look through page after page.
            last, most = page.items[-1].unit.unit, limit + 1 - len(found)
            sums = await units_having(
                cursor, counting, having, metric=metric, filter_=filter_, after=last, limit=most
            )
            units = await experiments.units_named(
                cursor,
                sums,
                project=counting.project,
                experiment=counting.experiment,
                before=counting.cutoff,
            )
            found += [Tallied(one, unit_tally(sums[one.unit])) for one in units]
            break
        page = await _next(cursor, counting, metric, filter_, limit=looked, after=page.next)
        found += _fitting(page, having)
        looked *= 2
    of = experiments.list_of_units(counting.experiment)
    return page_of(of, found, limit, lambda one: (one.unit.unit,))


def _fitting(page: Page[Tallied], having: Counted) -> list[Tallied]:
    return [one for one in page.items if one.tally is not None and getattr(one.tally, having)]


async def _next(
    cursor: Reading,
    counting: Counting,
    metric: str,
    filter_: UnitFilter,
    *,
    limit: int,
    after: str | None,
) -> Page[Tallied]:
    found = await experiments.units(
        cursor,
        project=counting.project,
        experiment=counting.experiment,
        limit=limit,
        filter_=filter_,
        before=counting.cutoff,
        after=after,
    )
    units = [one.unit for one in found.items]
    sums = await of_units(cursor, counting, metric=metric, units=units)
    return found.map(
        lambda one: Tallied(one, unit_tally(sums[one.unit]) if one.unit in sums else None)
    )
