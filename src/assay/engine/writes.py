"""What a run has done since its last commit: rows for the next flush, and what follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from assay.engine.replay import Asked
    from assay.engine.waits import Looking
    from assay.model.events import NewEvent
    from assay.model.journal import Memo
    from assay.store.turns import Flush, Row

_T = TypeVar("_T")


class Fact(NamedTuple):
    """A memo on its way into the journal; its place is given when the flush is sent."""

    asked: Asked
    memo: Memo
    row: Row


class _Made(Generic[_T]):
    """An attribute that is made when first asked for: most runs write two or three kinds of row."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, writes: Writes, _: type) -> _T:
        made = writes.__dict__[self._name] = self._make()
        return made


class Writes:
    """The rows of one run for one flush.

    Attributes:
        facts: memos, in the order in which they came to be.
        shapes: wait shapes (event name, shape, paths) that must be known before the flush.
        started: called once the flush is committed, before what it collected is delivered.
        looks: waits opened, for which events are to be looked at after the commit.
        sent: events sent, to be matched after the commit.
        trace: the run's, for what its events start.
        hints: apps whose idle workers are to be told.
    """

    facts: _Made[list[Fact]] = _Made(list)
    attempts: _Made[list[Row]] = _Made(list)
    waits: _Made[list[Row]] = _Made(list)
    closed: _Made[list[Row]] = _Made(list)
    defers: _Made[list[Row]] = _Made(list)
    outcomes: _Made[list[Row]] = _Made(list)
    exposures: _Made[list[Row]] = _Made(list)
    scores: _Made[list[Row]] = _Made(list)
    events: _Made[list[Row]] = _Made(list)
    runs: _Made[list[Row]] = _Made(list)
    shapes: _Made[list[tuple[str, int, tuple[str, ...]]]] = _Made(list)
    started: _Made[list[Callable[[], None]]] = _Made(list)
    looks: _Made[list[Looking]] = _Made(list)
    sent: _Made[list[NewEvent]] = _Made(list)
    hints: _Made[set[str]] = _Made(set)
    finish: Row | None = None
    park: Row | None = None
    collect = False
    trace: UUID | None = None

    @property
    def has_sequel(self) -> bool:
        """Whether anything follows the commit."""
        return not _SEQUEL.isdisjoint(self.__dict__)

    def add_to(self, flush: Flush, turn: Row) -> None:
        """Put the rows into a flush."""
        flush.turns.append(turn)
        made = self.__dict__
        for kind in made.keys() & _ROWS:
            getattr(flush, kind).extend(made[kind])
        if "facts" in made:
            flush.journal += [fact.row for fact in self.facts]
        if "defers" in made:
            # A promise that is made and kept in one flush has two rows: the later one holds.
            flush.defers += {row["id"]: row for row in self.defers}.values()
        if "outcomes" in made:
            last = {(row["run"], row["defer"], row["name"]): row for row in self.outcomes}
            flush.outcomes += [
                {**row, "is_last": last[row["run"], row["defer"], row["name"]] is row}
                for row in self.outcomes
            ]
        if self.finish is not None:
            flush.finish.append(self.finish)
        if self.park is not None:
            flush.park.append(self.park)
        if self.collect:
            flush.collect.append(turn)


_ROWS = frozenset({"attempts", "waits", "closed", "exposures", "scores", "events", "runs"})
_SEQUEL = frozenset({"looks", "sent", "hints"})
