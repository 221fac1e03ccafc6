"""Recording scores from outside a run: target, existence, one transaction for all of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.ids import parse, to_text
from assay.model.id_rules import check_minted
from assay.model.score_rules import check_not_ahead
from assay.model.scores import NewScore, Source, Subject
from assay.store import events as event_store
from assay.store import scores as store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from assay.model.score_rules import CheckedScore
    from assay.store.pool import AsyncConn

MAX_SCORES = 100


def target(checked: CheckedScore, *, id_: UUID, source: Source = Source.API) -> NewScore:
    """A checked score with what it is about: a step of a run where it names one, else the run.

    Args:
        checked: with its `run_id`, since no run is the current one outside of runs.
        id_: minted by the giver.
        source: who gives it.

    Raises:
        AssayError: `score_target`, or `bad_id` for a run id that is none.
    """
    if checked.run_id is None:
        raise AssayError(
            "No run context available",
            code="score_target",
            field="run_id",
            hint="outside a run a score names the run that it is about: run_id",
        )
    return NewScore(
        id=id_,
        name=checked.name,
        value=checked.value,
        subject=Subject.RUN if checked.step_id is None else Subject.STEP,
        run=parse(checked.run_id, field="run_id"),
        source=source,
        step=checked.step_id,
        index=checked.index or 0,
        at=checked.at,
        author=checked.author,
        rationale=checked.rationale,
        reference=checked.reference,
    )


async def record(
    connection: AsyncConn, *, project: int, scores: Sequence[NewScore], now: datetime
) -> list[UUID]:
    """Record all of these scores or none; gives the ids that were new.

    A score whose id is known already is that score, sent again. A score about a step that has
    not run is kept: its run reports it once it is over.

    Raises:
        AssayError: `too_many_scores`, `id_time`, `score_detail`, `run_not_found`.
    """
    if len(scores) > MAX_SCORES:
        raise AssayError(
            f"a request may hold {MAX_SCORES} scores at most (got {len(scores)})",
            code="too_many_scores",
            field="scores",
            hint="send them in several requests",
        )
    for score in scores:
        check_minted(score.id, now=now)
        check_not_ahead(score.at, now)
    asked = {score.run for score in scores}
    missing = asked - await event_store.runs_exist(connection, project=project, runs=list(asked))
    if missing:
        raise AssayError(
            f"there is no run {to_text(min(missing))}",
            code="run_not_found",
            field="run_id",
            hint="take the id from the run's own context or from the answer to its event",
        )
    # Of one id twice in a request the first counts, as it would over two requests.
    once = {score.id: score for score in reversed(scores)}
    rows = [
        {
            "id": score.id,
            "subject": score.subject,
            "run": score.run,
            "step": score.step or "",
            "idx": score.index,
            "attempt": score.attempt,
            "name": score.name,
            "value": float(score.value),
            "is_bool": isinstance(score.value, bool),
            "at": (score.at or now).timestamp(),
            "source": score.source,
            "giver": None,
            "author": score.author,
            "rationale": score.rationale,
            **store.reference_columns(score.reference),
        }
        for score in once.values()
    ]
    if not rows:
        return []
    return await store.record(connection, rows, project=project, now=now.timestamp())
