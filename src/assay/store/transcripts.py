"""Reading the spans and steps of runs that carry messages: what a transcript is made of."""

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
class Spoken:
    """A span of user code with messages, or a step that took or gave some.

    Attributes:
        step: the key of the step that it is or belongs to.
        attributes: of a span of user code. `input`, `output`: of a step. All are JSON text.
        is_large: whether they are left out, being larger than `MAX_SPAN_BYTES`.
    """

    run_id: UUID
    step: UUID | None
    span: int
    started_at: datetime
    attributes: str | None
    input: str | None
    output: str | None
    is_large: bool


async def spoken(
    cursor: Reading, *, project: int, runs: Sequence[UUID], since: date, limit: int
) -> list[Spoken]:
    """Where messages may be in some runs, by start: spans, and steps in which no span has any.

    Args:
        cursor: of a reader of the project.
        project: the rows' own.
        runs: which ones.
        since: the first day of their spans.
        limit: of the rows.
    """
    values = {
        "project": project,
        "runs": list(runs),
        "since": since,
        "limit": limit,
        "most_bytes": MAX_SPAN_BYTES,
    }
    spans = [Spoken(**row) for row in await fetch(cursor, _SQL["spans"], values)]
    told = {(one.run_id, one.step) for one in spans}
    steps = [Spoken(**row) for row in await fetch(cursor, _SQL["steps"], values)]
    found = spans + [one for one in steps if (one.run_id, one.step) not in told]
    return sorted(found, key=lambda one: (one.started_at, one.span))[:limit]
