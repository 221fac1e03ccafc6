"""Outcomes: what became of promised scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from assay.api import shapes
from assay.api.answers import answer
from assay.api.asking import Cursor, Limit, Who, services_of
from assay.ids import parse
from assay.store import outcomes
from assay.wire import base
from assay.wire import outcomes as wire

if TYPE_CHECKING:
    from assay.store.outcomes import OutcomeChange, OutcomeRecord
    from assay.store.pages import Page, Reading

router = APIRouter(tags=["outcomes"])


@router.get("/outcomes", response_model=base.Page[wire.Outcome])
async def list_outcomes(
    request: Request,
    who: Who,
    limit: Limit = 50,
    cursor: Cursor = None,
    run_id: str | None = None,
    name: str | None = None,
    state: wire.State | None = None,
) -> Response:
    """Promised scores with all their changes, those of the newest runs first."""
    run = None if run_id is None else parse(run_id, field="run_id")
    project = who.project

    async def ask(reading: Reading) -> tuple[Page[OutcomeRecord], list[OutcomeChange]]:
        found = await outcomes.page(
            reading, project=project, limit=limit, run=run, name=name, state=state, after=cursor
        )
        of = list({one.run_id for one in found.items})
        return found, await outcomes.changes(reading, project=project, runs=of)

    found, changes = await services_of(request).read(project, ask)
    return answer({"data": [*shapes.outcomes(found.items, changes)], "next": found.next})
