"""Several scores in one request (`POST /api/v1/scores`): all are taken, or none."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from assay.wire.base import Message, Request
from assay.wire.scores import ScoreIn, ScoreResponse


class ScoreBatch(Request):
    """Up to 100 scores."""

    scores: Annotated[list[ScoreIn], Field(max_length=100)]


class ScoreBatchResponse(Message):
    """An answer for each score, in their order."""

    data: list[ScoreResponse]


ScoreRequest: TypeAlias = ScoreIn | ScoreBatch
"""The body of `POST /api/v1/scores`."""
