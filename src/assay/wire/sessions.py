"""Sessions: pairs of key and id that group runs."""

from __future__ import annotations

from datetime import datetime

from assay.wire.base import Message


class Session(Message):
    """One pair."""

    key: str
    id: str


class ScoreRollup(Message):
    """The latest scores of one name over the runs of a session; booleans count as 1 and 0.

    Attributes:
        n: how many runs have it. `n_bool`: those where it is a boolean: where all are, `mean` is a
            share.
    """

    name: str
    n: int
    mean: float
    min: float
    max: float
    n_bool: int


class SessionSummary(Session):
    """A session with its runs counted, and their scores rolled up.

    Attributes:
        last_active_at: the latest change of one of its runs.
        failure_rate: failed runs among the failure_rate_n that have ended; null where none has.
        functions: ids of those that ran.
    """

    run_count: int
    failed_run_count: int
    failure_rate: float | None
    failure_rate_n: int
    last_active_at: datetime
    functions: list[str]
    scores: list[ScoreRollup]


class SessionKey(Message):
    """A key with the number of different ids that it has."""

    key: str
    session_count: int
    run_count: int
    last_active_at: datetime
