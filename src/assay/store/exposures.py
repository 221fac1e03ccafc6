"""Reading which variants runs were served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.store.pages import Reading

_SQL = queries("exposures")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRecord:
    """A run was served a variant.

    Attributes:
        index: which use of the experiment in its run, from 0.
        probability: of this variant at that moment, None where it is not known.
        forced: whether the event asked for it, so that the analysis leaves it out.
    """

    run_id: UUID
    experiment: str
    index: int
    variant: str
    unit: str | None
    probability: float | None
    epoch: int
    forced: bool
    at: datetime


async def of_runs(cursor: Reading, *, project: int, runs: Sequence[UUID]) -> list[ExposureRecord]:
    """What some runs were served, each run's by experiment."""
    values = {"project": project, "runs": list(runs)}
    return [ExposureRecord(**row) for row in await fetch(cursor, _SQL["of_runs"], values)]
