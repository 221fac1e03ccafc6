"""Experiments: what may be said of them, and stopping them. Reading is no look.

Ids are names and may hold any text: in a path they are percent-encoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from assay.api import experiment_shapes as shapes
from assay.api.answers import answer
from assay.api.asking import Cursor, Instant, Limit, Who, read_json, services_of
from assay.api.schemas import body_of
from assay.errors import AssayError
from assay.experiments import reading, tallies
from assay.experiments.facts import varying
from assay.experiments.standings import standings
from assay.model.event_rules import is_storable
from assay.model.results import Counted  # noqa: TC001 - FastAPI reads it
from assay.store import experiments, looks
from assay.store.experiments import UnitFilter
from assay.wire import base
from assay.wire import experiments as wire
from assay.wire.paths import decoded

if TYPE_CHECKING:
    from datetime import datetime

    from assay.access.services import Writer
    from assay.api.answers import Answer
    from assay.model.events import Json
    from assay.model.results import Results
    from assay.store.pages import Page, Reading

router = APIRouter(tags=["experiments"])
MAX_TEXT_BYTES = 4096
_ALPHA = 0.05
Epoch = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/experiments", response_model=base.Page[wire.Experiment])
async def list_experiments(
    request: Request, who: Who, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Experiments by name, with the verdicts that their looks have come to."""

    async def ask(rows: Reading) -> Answer:
        found = await experiments.page(rows, project=who.project, limit=limit, after=cursor)
        said = await standings(rows, found.items, project=who.project)
        shown: list[Answer] = [shapes.experiment(one, said[one.name]) for one in found.items]
        return {"data": shown, "next": found.next}

    return answer(await services_of(request).read(who.project, ask))


@router.get("/experiments/{experiment_id}", response_model=wire.Experiment)
async def get_experiment(request: Request, who: Who, experiment_id: str) -> Response:
    """One experiment."""
    name = decoded(experiment_id)
    return answer(
        await services_of(request).read(who.project, lambda rows: _one(rows, who.project, name))
    )


@router.get("/experiments/{experiment_id}/results", response_model=wire.Results)
async def get_results(
    request: Request,
    who: Who,
    experiment_id: str,
    metric: Annotated[str | None, Query(description="only this score")] = None,
    cutoff: Instant = None,
) -> Response:
    """What the experiment says at a cutoff (now, unless given; rounded down to the hour)."""
    services, name = services_of(request), decoded(experiment_id)

    async def read() -> Results:
        return await services.read(
            who.project,
            lambda rows: reading.results(
                rows,
                project=who.project,
                experiment=name,
                now=services.now(),
                cutoff=cutoff,
                metric=metric,
            ),
        )

    found = await services.results.ask((who.project, name, cutoff, metric), read)
    return answer(shapes.results(found))


@router.get("/experiments/{experiment_id}/looks", response_model=base.Page[wire.Look])
async def list_looks(
    request: Request, who: Who, experiment_id: str, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The looks that were taken, the oldest first, those of earlier plans too."""
    name = decoded(experiment_id)

    async def ask(rows: Reading) -> Answer:
        one = await reading.found(rows, project=who.project, experiment=name)
        page = await looks.page(
            rows, project=who.project, experiment=name, limit=limit, after=cursor
        )
        unit = varying(one.plan, is_by_run=one.is_by_run)
        alpha = one.plan.alpha if one.plan else _ALPHA
        shown = [shapes.look(look, unit=unit, alpha=alpha) for look in page.items]
        return {"data": shown, "next": page.next}

    return answer(await services_of(request).read(who.project, ask))


@router.get("/experiments/{experiment_id}/assignments", response_model=wire.AssignmentPage)
async def list_assignments(
    request: Request,
    who: Who,
    experiment_id: str,
    limit: Limit = 50,
    cursor: Cursor = None,
    variant: str | None = None,
    epoch: Epoch = None,
    exposed_before: Instant = None,
    metric: Annotated[str | None, Query(description="with what each adds to its results")] = None,
    having: Annotated[
        Counted | None, Query(description="only units with runs that its tally counts as this")
    ] = None,
) -> Response:
    """Units by name with what they were served first, and the log of how variants were chosen.

    `variant` and `epoch` leave those first served so; `exposed_before` what was served by then.
    With `metric` each unit has its `tally`: those of all units of a variant sum to the variant's in
    the results at the cutoff `exposed_before`, by the rules of that (now; the hour that had begun).
    `having` leaves those of them that add to a count: `having=failed` the units with failed runs.
    """
    name, services = decoded(experiment_id), services_of(request)
    filter_ = UnitFilter(variant=variant, epoch=epoch)
    if having is not None and metric is None:
        raise AssayError("having can't be asked without metric", code="bad_filter", field="metric")

    async def ask(rows: Reading) -> Answer:
        found = await reading.found(rows, project=who.project, experiment=name)
        log = await experiments.epochs(rows, project=who.project, experiment=name)
        shown: Page[Answer]
        if metric is None:
            units = await experiments.units(
                rows,
                project=who.project,
                experiment=name,
                limit=limit,
                filter_=filter_,
                before=exposed_before,
                after=cursor,
            )
            shown = units.map(shapes.assignment)
        else:
            until = reading.hour(exposed_before, services.now(), field="exposed_before")
            counting = await reading.counting(
                rows, found, project=who.project, metric=metric, cutoff=until
            )
            tallied = await tallies.page(
                rows,
                counting,
                metric=metric,
                having=having,
                filter_=filter_,
                limit=limit,
                after=cursor,
            )
            shown = tallied.map(shapes.tallied)
        return {"data": shown.items, "next": shown.next, "log": [shapes.choice(one) for one in log]}

    return answer(await services.read(who.project, ask))


@router.post(
    "/experiments/{experiment_id}/stop",
    response_model=wire.Experiment,
    openapi_extra=body_of(wire.Stop),
)
async def stop_experiment(request: Request, who: Who, experiment_id: str) -> Response:
    """Take no looks any more, and keep what was decided, by whom and why: once."""
    name, services = decoded(experiment_id), services_of(request)
    stop = _stop(await read_json(request))
    now = services.now()
    await services.read(
        who.project, lambda rows: reading.found(rows, project=who.project, experiment=name)
    )
    if not await services.write(lambda writer: _write(writer, who.project, name, stop, now)):
        raise AssayError(
            f"experiment {name!r} was stopped before",
            code="experiment_is_stopped",
            field="experiment_id",
            hint=f"GET /api/v1/experiments/{experiment_id} says when, by whom and why",
        )
    return answer(await services.read(who.project, lambda rows: _one(rows, who.project, name)))


async def _one(rows: Reading, project: int, name: str) -> Answer:
    found = await reading.found(rows, project=project, experiment=name)
    said = await standings(rows, [found], project=project)
    return shapes.experiment(found, said[name])


async def _write(
    writer: Writer, project: int, experiment: str, stop: wire.Stop, now: datetime
) -> bool:
    return await experiments.stop(
        await writer.link.get(),
        project=project,
        experiment=experiment,
        author=stop.author,
        reason=stop.reason,
        decision=stop.decision,
        now=now,
    )


def _stop(body: Json) -> wire.Stop:
    if not isinstance(body, dict):
        raise _refusal("body", "must be an object with decision and reason")
    unknown = body.keys() - wire.Stop.model_fields.keys()
    if unknown:
        raise _refusal(min(unknown), "is no field of a stop")
    author = body.get("author")
    return wire.Stop(
        decision=_text(body, "decision"),
        reason=_text(body, "reason"),
        author=None if author is None else _text(body, "author"),
    )


def _text(body: dict[str, Json], field: str) -> str:
    text = body.get(field)
    if not isinstance(text, str) or not text.strip():
        raise _refusal(field, "must be text that is not blank")
    if not is_storable(text) or len(text.encode()) > MAX_TEXT_BYTES:
        raise _refusal(field, f"must be storable text of {MAX_TEXT_BYTES} bytes at most in UTF-8")
    return text


def _refusal(field: str, wrong: str) -> AssayError:
    return AssayError(
        f"{field} {wrong}",
        code="experiment_stop",
        field=field,
        hint='{"decision": "concise stays", "reason": "better at the end of the plan"}',
    )
