"""Scores: giving them from outside a run, and reading them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from assay.api import shapes
from assay.api.answers import answer, page
from assay.api.asking import Cursor, Limit, Who, read_json, services_of
from assay.api.schemas import body_of
from assay.errors import AssayError
from assay.ids import parse
from assay.model.score_rules import check_score
from assay.model.scores import Source
from assay.scoring.recording import record, target
from assay.store import scores
from assay.wire import base, score_batches
from assay.wire import scores as wire

if TYPE_CHECKING:
    from uuid import UUID

    from assay.access.services import Services, Writer
    from assay.api.answers import Answer
    from assay.model.events import Json
    from assay.model.scores import NewScore

router = APIRouter(tags=["scores"])


@router.post(
    "/scores",
    response_model=wire.ScoreResponse | score_batches.ScoreBatchResponse,
    openapi_extra=body_of(score_batches.ScoreRequest),
)
async def give_scores(request: Request, who: Who) -> Response:
    """Score a run or a step of it; or up to 100 at once, as `{"scores": [...]}`: all or none."""
    services = services_of(request)
    body = await read_json(request)
    many = isinstance(body, dict) and body.keys() == {"scores"}
    given = body["scores"] if isinstance(body, dict) and many else [body]
    if not isinstance(given, list):
        raise AssayError("scores must be a list", code="score_options", field="scores")
    source = Source.HUMAN if who.is_person else Source.API
    checked = [
        _parse(item, services, f"scores[{place}]" if many else "", source)
        for place, item in enumerate(given)
    ]
    now = services.now()
    new = await services.write(
        lambda writer: _record(writer, project=who.project, scores=checked, now=now)
    )
    shown: list[Answer] = [{"id": score.id, "is_new": score.id in new} for score in checked]
    return answer({"data": shown} if many else shown[0])


@router.get("/scores", response_model=base.Page[wire.Score])
async def list_scores(
    request: Request,
    who: Who,
    limit: Limit = 50,
    cursor: Cursor = None,
    name: str | None = None,
    run_id: str | None = None,
    history: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query
) -> Response:
    """The latest score of each subject and name, or with `history` all that were ever given."""
    run = None if run_id is None else parse(run_id, field="run_id")
    read = scores.history if history else scores.latest
    found = await services_of(request).read(
        who.project,
        lambda reading: read(
            reading, project=who.project, run=run, name=name, limit=limit, after=cursor
        ),
    )
    return page(found, shapes.score)


async def _record(
    writer: Writer, *, project: int, scores: list[NewScore], now: datetime
) -> list[UUID]:
    return await record(await writer.link.get(), project=project, scores=scores, now=now)


def _parse(item: Json, services: Services, place: str, source: Source) -> NewScore:
    try:
        return _new_score(item, services, source)
    except AssayError as error:
        if not place:
            raise
        raise AssayError(
            f"{place}: {error.message}; none of this request's scores was taken",
            code=error.code,
            field=f"{place}.{error.field}" if error.field else place,
            hint=error.hint,
        ) from error


def _new_score(item: Json, services: Services, source: Source) -> NewScore:
    if not isinstance(item, dict):
        raise AssayError("score options must be an object", code="score_options")
    unknown = item.keys() - wire.ScoreIn.model_fields.keys()
    if unknown:
        name = min(unknown)
        raise AssayError(f"{name!r} is no field of a score", code="score_options", field=name)
    id_, at = item.get("id"), item.get("at")
    options = {**item, "at": None if at is None else _instant(at)}
    checked = check_score(options, max_name_bytes=services.limits.score_name_bytes)
    new_id = services.ids.new() if id_ is None else parse(str(id_))
    return target(checked, id_=new_id, source=source)


def _instant(at: Json) -> datetime:
    try:
        return datetime.fromisoformat(at if isinstance(at, str) else "")
    except ValueError:
        raise AssayError(
            "score at must be an instant with a time zone",
            code="score_detail",
            field="at",
            hint="such as 2026-01-31T12:00:00Z",
        ) from None
