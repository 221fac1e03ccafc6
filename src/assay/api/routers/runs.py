"""Runs: listing, reading one with all that belongs to it, its trace and scores."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from assay.api import shapes
from assay.api.answers import answer, page
from assay.api.asking import Cursor, Instant, Limit, Who, services_of
from assay.engine import spans
from assay.errors import AssayError
from assay.ids import parse, to_text
from assay.store import outcomes, runs, scores, steps
from assay.store.outcomes import OutcomeFilter
from assay.store.runs import RunFilter
from assay.wire import base
from assay.wire import runs as wire
from assay.wire import scores as wire_scores

if TYPE_CHECKING:
    from uuid import UUID

    from assay.access.services import Services
    from assay.api.answers import Answer
    from assay.store.pages import Reading
    from assay.store.runs import RunRecord

router = APIRouter(tags=["runs"])

MOST_WAIT_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S, PAUSE_GROWTH = 0.01, 0.25, 1.5
PARTS = ("steps", "scores", "outcomes", "spans")
MOST_SCORES = 1_000
SERVED = ("variant", "unit", "forced", "without_unit", "exposed_after", "exposed_before")
"""Filters that say how a run was served an experiment."""
Finite = Annotated[float | None, Query(allow_inf_nan=False)]


async def _filter(  # noqa: PLR0913, PLR0917 - each is a parameter of the query
    function_id: str | None = None,
    app_id: str | None = None,
    status: wire.Status | None = None,
    session_key: str | None = None,
    session_id: str | None = None,
    score: str | None = None,
    score_min: Finite = None,
    score_max: Finite = None,
    score_is: bool | None = None,  # noqa: FBT001 - a parameter of the query
    experiment: str | None = None,
    variant: str | None = None,
    unit: str | None = None,
    forced: bool | None = None,  # noqa: FBT001 - a parameter of the query
    without_unit: bool | None = None,  # noqa: FBT001 - a parameter of the query
    exposed_after: Instant = None,
    exposed_before: Instant = None,
    queued_after: Instant = None,
    queued_before: Instant = None,
) -> RunFilter:
    asked = RunFilter(
        function=function_id,
        app=app_id,
        status=status,
        session_key=session_key,
        session_id=session_id,
        score=score,
        score_min=score_min,
        score_max=score_max,
        score_is=score_is,
        experiment=experiment,
        variant=variant,
        unit=unit,
        forced=forced,
        without_unit=without_unit,
        exposed_after=exposed_after,
        exposed_before=exposed_before,
        queued_after=queued_after,
        queued_before=queued_before,
    )
    _check(asked)
    return asked


@router.get("/runs", response_model=base.Page[wire.Run])
async def list_runs(
    request: Request,
    who: Who,
    filter_: Annotated[RunFilter, Depends(_filter)],
    limit: Limit = 50,
    cursor: Cursor = None,
    order: runs.Order = "newest",
    output: bool = True,  # noqa: FBT001, FBT002 - a parameter of the query
) -> Response:
    """Runs, the newest first; those that fit everything that is asked for.

    `order=longest` has those first that took longest until they ended, of the time since
    `queued_after`. `output=false` leaves their outputs out, which may be large.
    """
    read = runs.longest if order == "longest" else runs.page
    found = await services_of(request).read(
        who.project,
        lambda reading: read(
            reading,
            project=who.project,
            filter_=filter_,
            limit=limit,
            after=cursor,
            with_output=output,
        ),
    )
    return page(found, shapes.run)


@router.get("/runs/{run_id}", response_model=wire.RunDetail)
async def get_run(
    request: Request,
    who: Who,
    run_id: str,
    wait_s: Annotated[float, Query(ge=0, le=MOST_WAIT_S, allow_inf_nan=False)] = 0.0,
    include: str = ",".join(PARTS),
    values: bool = True,  # noqa: FBT001, FBT002 - a parameter of the query
) -> Response:
    """A run; `wait_s` waits so long for its end, `include` says which parts come with it.

    `values=false` leaves inputs and outputs of its steps out, which may be large.
    """
    parts = {part.strip() for part in include.split(",") if part.strip()}
    if not parts.issubset(PARTS):
        raise AssayError(
            f"include names {min(parts.difference(PARTS))!r}, which is no part of a run",
            code="bad_include",
            field="include",
            hint=f"choose from {', '.join(PARTS)}, joined by commas",
        )
    services, project = services_of(request), who.project
    id_ = parse(run_id, field="run_id")
    found = await _find(services, project, id_)
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + wait_s, FIRST_PAUSE_S
    while not found.is_ended and loop.time() < deadline and not await request.is_disconnected():
        await asyncio.sleep(min(pause, max(0.0, deadline - loop.time())))
        pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_S)
        found = await _find(services, project, id_)
    return answer(
        await services.read(
            project, lambda reading: _detail(reading, project, found, parts, with_values=values)
        )
    )


@router.get("/runs/{run_id}/scores", response_model=base.Page[wire_scores.Score])
async def get_scores(
    request: Request,
    who: Who,
    run_id: str,
    limit: Limit = 50,
    cursor: Cursor = None,
    history: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query
) -> Response:
    """The latest scores of a run and its steps, or all that were ever given."""
    id_ = parse(run_id, field="run_id")
    services = services_of(request)
    await _find(services, who.project, id_)
    read = scores.history if history else scores.latest
    found = await services.read(
        who.project,
        lambda reading: read(reading, project=who.project, run=id_, limit=limit, after=cursor),
    )
    return page(found, shapes.score)


@router.post("/runs/{run_id}/cancel", response_model=wire.CancelResponse)
async def cancel_run(request: Request, who: Who, run_id: str) -> Response:
    """Cancel a run; one that is over stays as it ended, one that a worker holds ends soon."""
    id_ = parse(run_id, field="run_id")
    services, project = services_of(request), who.project
    await _find(services, project, id_)
    await services.cancel(project, id_)
    found = await _find(services, project, id_)
    return answer({"id": id_, "status": found.status})


async def _find(services: Services, project: int, run: UUID) -> RunRecord:
    found = await services.read(
        project, lambda reading: runs.find(reading, project=project, run=run)
    )
    if found is None:
        raise run_not_found(to_text(run))
    return found


async def _detail(
    reading: Reading, project: int, run: RunRecord, parts: set[str], *, with_values: bool
) -> dict[str, Answer]:
    shown: dict[str, Answer] = shapes.run(run)
    if run.is_ended:
        # Only what has ended can have steps and experiments that it never came to.
        missed = await runs.orphans(reading, project=project, run=run.id)
        unserved = await runs.unserved(reading, project=project, run=run.id)
        ambiguous = await runs.ambiguous(reading, project=project, run=run.id)
        shown = shapes.run(run, missed, unserved, ambiguous)
    if "steps" in parts:
        records = await steps.of_runs(
            reading, project=project, runs=[run.id], with_values=with_values
        )
        shown["steps"] = shapes.steps(records)
    if "scores" in parts:
        given = await scores.latest(reading, project=project, run=run.id, limit=MOST_SCORES)
        shown["scores"] = [shapes.score(one) for one in given.items]
    if "outcomes" in parts:
        promised = await outcomes.page(
            reading, project=project, filter_=OutcomeFilter(run=run.id), limit=MOST_SCORES
        )
        changes = await outcomes.changes(reading, project=project, runs=[run.id])
        shown["outcomes"] = [*shapes.outcomes(promised.items, changes)]
    if "spans" in parts:
        trace = await spans.trace_of(reading, project=project, run=run.id)
        shown["spans"] = [shapes.span(one) for one in trace or []]
    return shown


def run_not_found(run_id: str) -> AssayError:
    """Whatever was asked of a run that is not there."""
    return AssayError(
        f"there is no run {run_id}",
        code="run_not_found",
        field="run_id",
        hint="GET /api/v1/runs lists them",
    )


def _check(f: RunFilter) -> None:
    """Refuse what means nothing without another filter."""
    if f.session_id is not None and f.session_key is None:
        raise _needs("session_id", "session_key")
    if f.score is None and (f.score_min, f.score_max, f.score_is) != (None, None, None):
        raise _needs("score_min, score_max and score_is", "score")
    served = {name: getattr(f, name) for name in SERVED}
    if f.experiment is None and any(value is not None for value in served.values()):
        raise _needs(f"{', '.join(SERVED[:-1])} and {SERVED[-1]}", "experiment")


def _needs(field: str, other: str) -> AssayError:
    return AssayError(f"{field} can't be asked without {other}", code="bad_filter", field=other)
