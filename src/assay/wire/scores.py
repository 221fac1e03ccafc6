"""Scores: giving them (`POST /api/v1/scores`) and reading them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from assay.wire.base import Message, Request


class ScoreIn(Request):
    """A score to write; its rules and their order are those of `model.score_rules`.

    Attributes:
        id: a ULID, minted by the giver before its first try; the same one twice is one score.
        value: checked by those rules, so that their messages are the ones that are read.
        step_id: without it the score is about the run.
        at: with a time zone; when it is received unless given.
        experiment: the exposure that it counts for: `experiment`, `variant`, and `index` of its use
            in the run, 0 unless given. Not together with `step_id`.
    """

    id: str | None = None
    name: object = None
    value: object = None
    run_id: object = None
    step_id: object = None
    index: object = None
    rationale: object = None
    author: object = None
    at: datetime | None = None
    experiment: object = None

    def options(self) -> dict[str, object]:
        """The fields that were written, as `score_rules.check_score` takes them."""
        written = {field: getattr(self, field) for field in self.model_fields_set - {"id"}}
        return {
            field: value
            for field, value in written.items()
            # The rules refuse a null id, and take other nulls as not given.
            if value is not None or field in ("run_id", "step_id", "name", "value", "experiment")
        }


class Attribution(Message):
    """A use of an experiment in a run that a score counts for, or was meant for.

    Attributes:
        index: which use of the experiment in its run, from 0.
        counted: false where the score names what its run was not served.
    """

    experiment: str
    variant: str
    index: int = 0
    counted: bool = True


class Score(Message):
    """A score as it was recorded.

    Attributes:
        index: which use of the step id, from 0; null for other subjects.
        attempt: of the step that gave it, from 1, where that is known.
        at: when it holds.
        recorded_at: when it was written.
        is_latest: whether it is the one that counts for its subject and name.
        is_orphan: whether it names a step that never ran.
    """

    id: str
    name: str
    value: StrictBool | StrictInt | StrictFloat
    subject: Literal["run", "step", "session", "span", "conversation"]
    run_id: str | None
    step_id: str | None = None
    index: int | None = None
    attempt: int | None = None
    source: Literal["step", "api", "scorer", "evaluator", "human"]
    attributions: list[Attribution] = Field(default_factory=list)
    at: datetime
    author: str | None = None
    rationale: str | None = None
    recorded_at: datetime
    is_latest: bool = True
    is_orphan: bool = False


class ScoreResponse(Message):
    """The answer of `POST /api/v1/scores`.

    Attributes:
        is_new: false where a score with this id was there already.
    """

    id: str
    is_new: bool
