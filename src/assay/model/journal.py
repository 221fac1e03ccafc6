"""The journal of a run: what it asked, and what came back, in the order of its commits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from assay.errors import Failure


class Kind(StrEnum):
    """What a journal entry answers. A memo of another kind than asked is `journal_mismatch`."""

    STEP = "step"
    SLEEP = "sleep"
    WAIT = "wait"
    SEND = "send"
    INVOKE = "invoke"
    SCORE = "score"
    EXPERIMENT = "experiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """The recorded answer to what a body asked: output or failure.

    Attributes:
        output: exact JSON text; None where there is a failure.
        failure: set where the step failed for good.
    """

    output: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A committed journal entry.

    Attributes:
        step: `ids.step_key(name, index)`.
        seq: its place in the journal, from 1, in the order of commits.
        name: the id as the author wrote it.
        index: 0 for the first use of the id in the run.
    """

    step: UUID
    seq: int
    kind: Kind
    name: str
    index: int
    memo: Memo
