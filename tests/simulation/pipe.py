"""From rows to verdicts by the real code: daily looks at many experiments, read back as stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from psycopg import AsyncCursor
from psycopg.rows import dict_row
from typing_extensions import override

from assay.experiments import daily
from assay.experiments.comparison import compare
from assay.experiments.sight import ALWAYS
from assay.model.moments import Counting
from assay.store import looks
from assay.store.databases import empty
from assay.store.moments import moments
from assay.store.pool import connect
from simulation.design import DAYS, MATURITY, draw
from simulation.rows import PROJECT, instant, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from assay.model.experiments import Mode, Plan
    from assay.model.looks import Look
    from assay.store.pages import Reading
    from assay.store.pool import FullConn
    from simulation.design import Design, Drawn

Looks: TypeAlias = "dict[tuple[Mode, str], list[Look]]"
"""Of one experiment: the looks at each variant in each mode, the oldest first."""
Seen: TypeAlias = "Callable[[Drawn], Drawn]"
AT_ONCE = 100
"""So many experiments are in the database together."""
AFTER = instant(DAYS + 2 * MATURITY)


class _Once(AsyncCursor[dict[str, Any]]):
    """Sets what is set for a transaction once in it, not for each look."""

    @override
    async def execute(self, query: Any, *args: Any, **options: Any) -> _Once:
        if "SET LOCAL" not in str(query):
            return await super().execute(query, *args, **options)
        if query not in self._set:
            self._set.add(query)
            await super().execute(query, *args, **options)
        return self

    @override
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._set: set[Any] = set()


def as_it_is(drawn: Drawn) -> Drawn:
    """Nothing is changed of what was drawn."""
    return drawn


def simulate(
    url: str,
    design: Design,
    plan: Plan,
    experiments: int,
    rng: np.random.Generator,
    *,
    seen_as: Seen = as_it_is,
) -> list[Looks]:
    """The looks at so many experiments; *seen_as* changes what is written of them."""

    async def take(names: list[str]) -> list[Looks]:
        async with await connect(url) as connection:
            return [await _looks(connection, name) for name in names]

    found: list[Looks] = []
    for names in _written(url, design, plan, experiments, rng, seen_as):
        found += asyncio.run(take(names))
    return found


def estimates(
    url: str,
    design: Design,
    plan: Plan,
    experiments: int,
    rng: np.random.Generator,
    *,
    seen_as: Seen = as_it_is,
) -> list[float]:
    """The differences that so many experiments come to when all answers are in."""

    async def read(names: list[str]) -> list[float]:
        async with (
            await connect(url) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return [await _estimate(cursor, name, plan) for name in names]

    found: list[float] = []
    for names in _written(url, design, plan, experiments, rng, seen_as):
        found += asyncio.run(read(names))
    return found


def draws(design: Design, experiments: int, rng: np.random.Generator) -> Iterator[Drawn]:
    """The same experiments again, from the same chance."""
    for done in range(0, experiments, AT_ONCE):
        yield draw(design, min(AT_ONCE, experiments - done), rng)


def _written(
    url: str,
    design: Design,
    plan: Plan,
    experiments: int,
    rng: np.random.Generator,
    seen_as: Seen,
) -> Iterator[list[str]]:
    for drawn in map(seen_as, draws(design, experiments, rng)):
        yield write(url, design, plan, drawn)
        empty(url)


async def _looks(connection: FullConn, name: str) -> Looks:
    async with connection.transaction(), _Once(connection, row_factory=dict_row) as cursor:
        await daily.look(cursor, project=PROJECT, experiment=name, now=AFTER)
        records = await looks.all_of(cursor, project=PROJECT, experiment=name, version=1)
    found: Looks = {}
    for record in records:
        found.setdefault((record.mode, record.variant), []).append(record.look)
    return found


async def _estimate(cursor: Reading, name: str, plan: Plan) -> float:
    last = await moments(
        cursor,
        Counting(
            project=PROJECT,
            experiment=name,
            cutoff=AFTER,
            maturity=timedelta(seconds=plan.maturity_s),
            since=ALWAYS,
            sticky=False,
        ),
        metrics=[plan.primary],
    )
    found = compare(
        last[plan.primary], variant="v1", control="v0", weighting="run", on_failure=plan.on_failure
    ).difference
    assert found is not None
    return found.estimate
