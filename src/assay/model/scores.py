"""A score: a named number or boolean about a subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from assay.model.experiments import ExperimentRef


class Subject(StrEnum):
    """What a score is about."""

    RUN = "run"
    STEP = "step"
    SESSION = "session"
    SPAN = "span"
    CONVERSATION = "conversation"


class Source(StrEnum):
    """Who gave a score."""

    STEP = "step"
    API = "api"
    SCORER = "scorer"
    EVALUATOR = "evaluator"
    HUMAN = "human"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScore:
    """A valid score with its target resolved, before it is written.

    Attributes:
        id: minted by the giver, so that the same score sent twice is one.
        run: the run it is about, or whose step it is about.
        step: the step id as written, for a score about a step.
        index: which use of that step id, from 0.
        attempt: which attempt gave it, from 1; None where unknown.
        value: a boolean stays a boolean.
        at: when it holds; None means when it is received.
        reference: the exposure that it counts for; None leaves that to where its run was exposed.
    """

    id: UUID
    name: str
    value: bool | int | float
    subject: Subject
    run: UUID
    source: Source
    step: str | None = None
    index: int = 0
    attempt: int | None = None
    at: datetime | None = None
    author: str | None = None
    rationale: str | None = None
    reference: ExperimentRef | None = None
