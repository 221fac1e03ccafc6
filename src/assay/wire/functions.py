"""Functions as they are registered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from assay.wire.base import Message


class Trigger(Message):
    """One way to start a function: an event's name or pattern, and a CEL condition."""

    event: str
    condition: str | None = None


class Function(Message):
    """A registered function or scorer.

    Attributes:
        version: another one whenever what is registered of it changes.
        scores: the names that a scorer declares.
        seen_at: when a worker last said that it serves it.
        retired_at: since when it is gone from its app's code: events don't start it any more, and
            its runs that have not ended wait until it is there again, or are cancelled.
    """

    id: str
    app_id: str
    kind: Literal["function", "scorer"]
    version: str
    triggers: list[Trigger] = Field(default_factory=list)
    scores: list[str] = Field(default_factory=list)
    retries: int
    seen_at: datetime | None = None
    retired_at: datetime | None = None
