"""Sessions: the keys in use, the sessions of a key, their runs and scores.

Keys and ids may hold any text: in a path they are percent-encoded.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from assay.api import shapes
from assay.api.answers import answer, page
from assay.api.asking import Cursor, Limit, Who, services_of
from assay.errors import AssayError
from assay.scoring import rollups
from assay.store import rollups as hourly
from assay.store import runs, sessions
from assay.store.runs import RunFilter
from assay.wire import base
from assay.wire import rollups as rollups_wire
from assay.wire import runs as wire_runs
from assay.wire import sessions as wire
from assay.wire.paths import decoded

if TYPE_CHECKING:
    from assay.api.answers import Answer
    from assay.store.pages import Page, Reading
    from assay.store.sessions import ScoreNumbers, SessionRecord

router = APIRouter(tags=["sessions"])


@router.get("/sessions", response_model=base.Page[wire.SessionKey])
async def list_keys(
    request: Request, who: Who, limit: Limit = 50, cursor: Cursor = None, key: str | None = None
) -> Response:
    """The session keys in use; with `key` the sessions of that key, as below it."""
    if key is not None:
        return await _sessions(request, who, key, limit, cursor)
    found = await services_of(request).read(
        who.project,
        lambda reading: hourly.session_keys(
            reading, project=who.project, limit=limit, after=cursor
        ),
    )
    return page(found, shapes.session_key)


@router.get("/sessions/{key}", response_model=base.Page[wire.SessionSummary])
async def list_sessions(
    request: Request, who: Who, key: str, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The sessions of a key, those with the newest run first."""
    return await _sessions(request, who, decoded(key), limit, cursor)


@router.get("/sessions/{key}/{session_id}", response_model=wire.SessionSummary)
async def get_session(request: Request, who: Who, key: str, session_id: str) -> Response:
    """One session."""
    pair = (decoded(key), decoded(session_id))

    async def ask(reading: Reading) -> list[Answer]:
        found = await sessions.summaries(reading, project=who.project, pairs=[pair])
        return await _with_scores(reading, who.project, found)

    shown = await services_of(request).read(who.project, ask)
    if not shown:
        raise _not_found(*pair)
    return answer(shown[0])


@router.get("/sessions/{key}/{session_id}/runs", response_model=base.Page[wire_runs.Run])
async def list_runs(
    request: Request,
    who: Who,
    key: str,
    session_id: str,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The runs of a session, the newest first."""
    filter_ = RunFilter(session_key=decoded(key), session_id=decoded(session_id))
    found = await services_of(request).read(
        who.project,
        lambda reading: runs.page(
            reading, project=who.project, filter_=filter_, limit=limit, after=cursor
        ),
    )
    return page(found, shapes.run)


@router.get(
    "/sessions/{key}/{session_id}/scores", response_model=base.Page[rollups_wire.SessionScore]
)
async def list_scores(request: Request, who: Who, key: str, session_id: str) -> Response:
    """The scores of a session's runs, rolled up by name, with what is still promised."""
    pair = (decoded(key), decoded(session_id))

    async def ask(reading: Reading) -> list[Answer]:
        if not await sessions.summaries(reading, project=who.project, pairs=[pair]):
            raise _not_found(*pair)
        found = await rollups.of_session(reading, project=who.project, key=pair[0], id_=pair[1])
        return [shapes.rollup(one) for one in found]

    return answer({"data": await services_of(request).read(who.project, ask), "next": None})


async def _sessions(
    request: Request, who: Who, key: str, limit: int, cursor: str | None
) -> Response:
    async def ask(reading: Reading) -> tuple[Page[SessionRecord], list[Answer]]:
        found = await sessions.page(
            reading, project=who.project, key=key, limit=limit, after=cursor
        )
        return found, await _with_scores(reading, who.project, found.items)

    found, shown = await services_of(request).read(who.project, ask)
    return answer({"data": shown, "next": found.next})


async def _with_scores(reading: Reading, project: int, found: list[SessionRecord]) -> list[Answer]:
    pairs = [(one.key, one.value) for one in found]
    by_pair: dict[tuple[str, str], list[ScoreNumbers]] = defaultdict(list)
    for numbers in await sessions.scores(reading, project=project, pairs=pairs):
        by_pair[numbers.key, numbers.id].append(numbers)
    return [shapes.session(one, by_pair[one.key, one.value]) for one in found]


def _not_found(key: str, id_: str) -> AssayError:
    return AssayError(
        f"no run carries the session {key!r}: {id_!r}",
        code="session_not_found",
        field="session_id",
        hint="GET /api/v1/sessions/<key> lists the sessions of a key",
    )
