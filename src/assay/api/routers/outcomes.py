"""Outcomes: what became of promised scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from assay.api import shapes, summary_shapes
from assay.api.answers import answer
from assay.api.asking import Cursor, Days, Instant, Limit, Who, range_of, services_of
from assay.errors import AssayError
from assay.ids import parse
from assay.scoring import ledger
from assay.store import outcomes
from assay.store.outcomes import OutcomeFilter
from assay.wire import base
from assay.wire import outcomes as wire
from assay.wire.outcome_ledger import OutcomeSummary

if TYPE_CHECKING:
    from assay.store.outcomes import OutcomeChange, OutcomeRecord
    from assay.store.pages import Page, Reading

router = APIRouter(tags=["outcomes"])


@router.get("/outcomes", response_model=base.Page[wire.Outcome])
async def list_outcomes(  # noqa: PLR0913, PLR0917 - each is a parameter of the query
    request: Request,
    who: Who,
    limit: Limit = 50,
    cursor: Cursor = None,
    run_id: str | None = None,
    name: str | None = None,
    state: wire.State | None = None,
    scorer: str | None = None,
    app_id: str | None = None,
    function_id: str | None = None,
    session_key: str | None = None,
    session_id: str | None = None,
    queued_after: Instant = None,
    queued_before: Instant = None,
    promised_after: Instant = None,
    promised_before: Instant = None,
    overdue: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query
) -> Response:
    """Promised scores with all their changes, those of the newest runs first.

    `app_id`, `function_id`, `session_key` with `session_id`, `queued_after` and `queued_before`
    speak of the runs that promised them, `promised_after` and `promised_before` of the promises;
    `overdue` leaves those that wait for what should have come by now.
    """
    run = None if run_id is None else parse(run_id, field="run_id")
    project = who.project
    now = services_of(request).now() if overdue else None

    filter_ = OutcomeFilter(
        run=run,
        name=name,
        state=state,
        scorer=scorer,
        app=app_id,
        function=function_id,
        session=_session(session_key, session_id),
        since=queued_after,
        until=queued_before,
        promised_since=promised_after,
        promised_until=promised_before,
        overdue=now,
    )

    async def ask(reading: Reading) -> tuple[Page[OutcomeRecord], list[OutcomeChange]]:
        found = await outcomes.page(
            reading, project=project, filter_=filter_, limit=limit, after=cursor
        )
        of = list({one.run_id for one in found.items})
        return found, await outcomes.changes(reading, project=project, runs=of)

    found, changes = await services_of(request).read(project, ask)
    return answer({"data": [*shapes.outcomes(found.items, changes)], "next": found.next})


def _session(key: str | None, id_: str | None) -> tuple[str, str] | None:
    if key is not None and id_ is not None:
        return key, id_
    if key is None and id_ is None:
        return None
    raise AssayError(
        "session_key and session_id can't be asked without each other",
        code="bad_filter",
        field="session_id" if id_ is None else "session_key",
        hint="give both: a session is a key and an id",
    )


@router.get("/outcomes/summary", response_model=OutcomeSummary)
async def summarise(
    request: Request,
    who: Who,
    days: Days = 7,
    queued_after: Instant = None,
    queued_before: Instant = None,
) -> Response:
    """Promises by scorer and by age, and the share answered as they grow older."""
    services = services_of(request)
    now = services.now()
    within = range_of(now, days, queued_after, queued_before)
    found = await services.read(
        who.project,
        lambda reading: ledger.read(reading, project=who.project, within=within, now=now),
    )
    return answer(summary_shapes.ledger(found))
