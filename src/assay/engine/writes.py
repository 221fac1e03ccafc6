"""What a run has done since its last commit: rows for the next flush, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from assay.engine.waits import Looking
    from assay.model.events import NewEvent
    from assay.model.journal import Kind, Memo
    from assay.store.turns import Flush, Row


@dataclass(frozen=True, slots=True)
class Fact:
    """A memo on its way into the journal; its place is given when the flush is sent."""

    step: UUID
    kind: Kind
    name: str
    index: int
    memo: Memo
    row: Row


@dataclass(slots=True)
class Writes:
    """The rows of one run for one flush.

    Attributes:
        facts: memos, in the order in which they came to be.
        shapes: wait shapes (event name, shape, paths) that must be known before the flush.
        started: called once the flush is committed, before memos are delivered.
        looks: waits opened, for which events are to be looked at after the commit.
        sent: events sent, to be matched after the commit.
        trace: the run's, for what its events start.
        hints: apps whose idle workers are to be told.
    """

    facts: list[Fact] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    waits: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    defers: list[Row] = field(default_factory=list)
    outcomes: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    finish: Row | None = None
    park: Row | None = None
    collect: bool = False
    shapes: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    started: list[Callable[[], None]] = field(default_factory=list)
    looks: list[Looking] = field(default_factory=list)
    sent: list[NewEvent] = field(default_factory=list)
    trace: UUID | None = None
    hints: set[str] = field(default_factory=set)

    def add_to(self, flush: Flush, turn: Row) -> None:
        """Put the rows into a flush."""
        flush.turns.append(turn)
        if self.facts:
            flush.journal += [fact.row for fact in self.facts]
        flush.attempts += self.attempts
        flush.waits += self.waits
        flush.closed += self.closed
        if self.defers:
            # A promise that is made and kept in one flush has two rows: the later one holds.
            flush.defers += {row["id"]: row for row in self.defers}.values()
        if self.outcomes:
            last = {(row["run"], row["defer"], row["name"]): row for row in self.outcomes}
            flush.outcomes += [
                {**row, "is_last": last[row["run"], row["defer"], row["name"]] is row}
                for row in self.outcomes
            ]
        flush.scores += self.scores
        flush.events += self.events
        flush.runs += self.runs
        if self.finish is not None:
            flush.finish.append(self.finish)
        if self.park is not None:
            flush.park.append(self.park)
        if self.collect:
            flush.collect.append(turn)
