"""The verdicts of many experiments, from their looks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.experiments.verdict import ended, standing
from assay.store import looks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.experiments.verdict import Verdict
    from assay.model.looks import Look
    from assay.store.experiments import ExperimentRecord
    from assay.store.pages import Reading


async def standings(
    cursor: Reading, records: Sequence[ExperimentRecord], *, project: int
) -> dict[str, dict[str, Verdict]]:
    """What stands of each variant, by experiment; nothing of those without a plan or a look."""
    planned = [
        (one.name, one.plan_version, one.plan.mode)
        for one in records
        if one.plan is not None and one.plan_version is not None
    ]
    history: dict[str, dict[str, list[Look]]] = {one.name: {} for one in records}
    for name, variant, look in await looks.words(cursor, planned, project=project):
        history[name].setdefault(variant, []).append(look)
    stopped = {one.name: one.stopped_at for one in records}
    return {
        name: {variant: ended(standing(seen), stopped[name]) for variant, seen in of_one.items()}
        for name, of_one in history.items()
    }
