"""Reading the spans of runs that carry messages: what a transcript is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.store.pages import fetch
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from assay.store.pages import Reading

_SQL = queries("transcripts")
MAX_SPAN_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenSpan:
    """A span of a call of a model.

    Attributes:
        step: the key of the step that it belongs to.
        attributes: JSON text; None where it is larger than `MAX_SPAN_BYTES`.
    """

    run_id: UUID
    step: UUID | None
    span: int
    name: str
    started_at: datetime
    status: str
    attributes: str | None


async def spans(
    cursor: Reading, *, project: int, runs: Sequence[UUID], since: date, limit: int
) -> list[SpokenSpan]:
    """The spans of some runs with `gen_ai.input.messages` or `gen_ai.output.messages`, by start."""
    values = {
        "project": project,
        "runs": list(runs),
        "since": since,
        "limit": limit,
        "most_bytes": MAX_SPAN_BYTES,
    }
    return [SpokenSpan(**row) for row in await fetch(cursor, _SQL["spans"], values)]
