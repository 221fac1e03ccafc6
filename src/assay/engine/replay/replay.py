"""The book that a replay keeps: what was asked, what is answered, what is still to come."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextvars import Context
from typing import TYPE_CHECKING, Protocol

from assay.engine.replay.failures import describe
from assay.engine.replay.turns import DEFAULT_LIMITS, Asked, Finished, Turn
from assay.errors import AssayError
from assay.ids import step_key

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from assay.engine.replay.turns import ReplayLimits
    from assay.model.journal import Entry, Memo
    from assay.sdk.port import Operation

_NO_CONTEXT = Context()

Place = tuple[str, int]
"""A step id as written and which use of it: what `ids.step_key` is made of."""


class Ask(Protocol):
    """Something asked for: the thing that the asker waits on.

    Attributes:
        key: set once it is handed out.
        asked_in: a copy of the asker's context.
    """

    operation: Operation
    place: Place
    key: UUID | None
    asked_in: Context

    def set_result(self, memo: Memo, /) -> None:
        """Answer it; the asker goes on at the next pump."""
        ...

    def set_exception(self, error: BaseException, /) -> None:
        """Raise it where the asker waits."""
        ...

    def done(self) -> bool:
        """Whether it is answered, or its asker went away."""
        ...


class Replay(ABC):
    """One body run against its journal; made anew for each stretch between two parkings.

    `begin` once, `deliver` each entry as it is committed, `unwind` at the end, whatever the end.

    Attributes:
        is_unwinding: whether everything that asks is sent away with `Parked`.
        leaked: what did not end when unwound, as text; empty if all did.
    """

    def __init__(
        self,
        *,
        run_id: UUID,
        entries: Sequence[Entry],
        context: Context,
        limits: ReplayLimits | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.is_unwinding = False
        self.leaked = ""
        self._run_id = run_id
        self._context = context
        self._limits = limits or DEFAULT_LIMITS
        self._monotonic = monotonic
        self._entries = entries
        self._position = 0
        self._uses: dict[str, int] = {}
        self._open: dict[Place, Ask] = {}
        self._handed: dict[UUID, Ask] = {}
        self._fresh: list[Ask] = []
        self._late: list[Ask] = []
        self._kept: dict[Place, Entry] = {}
        self._withdrawn: dict[Place, UUID] = {}
        self._refused: AssayError | None = None
        self._has_begun = False

    @property
    def is_replaying(self) -> bool:
        """Whether committed entries are still to be delivered."""
        return self._position < len(self._entries)

    @property
    def unasked(self) -> tuple[Entry, ...]:
        """Committed entries that the body never asked for."""
        if not self._kept and not self.is_replaying:
            return ()
        rest = self._entries[self._position :]
        uses = self._uses
        return (
            *self._kept.values(),
            *(entry for entry in rest if entry.index >= uses.get(entry.name, 0)),
        )

    @property
    def forgotten(self) -> list[str]:
        """What a body that has ended began and never awaited, as its author should know it."""
        return []

    def begin(self) -> Turn:
        """Start the body and deliver the journal, one entry at a time, settling in between."""
        self._play(self._start)
        self._has_begun = True
        return self._turn()

    def deliver(self, entry: Entry) -> Turn:
        """Deliver a newly committed entry and settle."""
        self._play(lambda: self._answer(entry))
        return self._turn()

    @abstractmethod
    def ask(self, operation: Operation) -> Future[Memo]:
        """`port.Journal.ask`, for bodies that are coroutines."""

    @abstractmethod
    def call(self, operation: Operation) -> Memo:
        """`port.Journal.call`, for sync bodies."""

    @abstractmethod
    def parallel(self, branches: Sequence[Callable[[], object]]) -> list[object]:
        """`port.Journal.parallel`, for sync bodies."""

    @abstractmethod
    def unwind(self) -> None:
        """End the body with `Parked`, whatever it then returns or raises; idempotent."""

    @abstractmethod
    def _play(self, first: Callable[[], None]) -> None:
        """Do the first thing and settle, then deliver what is left of the journal."""

    @abstractmethod
    def _start(self) -> None:
        """Start the body."""

    @abstractmethod
    def _outcome(self) -> Finished | None:
        """How the body ended, if it has."""

    @abstractmethod
    def _stuck_at(self) -> str:
        """The lines where the body waits."""

    def _register(self, ask: Ask) -> None:
        name = ask.operation.name
        uses = self._uses
        index = uses.get(name, 0)
        if index or ":" in name:
            self._check_key_is_free(name, index)
        uses[name] = index + 1
        ask.place = place = (name, index)
        self._open[place] = ask
        if self._kept and place in self._kept:
            self._late.append(ask)
        else:
            self._fresh.append(ask)

    def _check_key_is_free(self, name: str, index: int) -> None:
        """`step_key` writes the second use of `a` as `a:1`, which an author may have written."""
        base, _, number = name.rpartition(":")
        is_taken = (
            f"{name}:{index}" in self._uses
            if index
            else (number.isdecimal() and 0 < int(number) < self._uses.get(base, 0))
        )
        if is_taken:
            raise AssayError(
                f"step id {name!r} stands for the same step as another id of this run",
                code="step_id_taken",
                hint="let no step id end in a colon and a number",
            )

    def _answer(self, entry: Entry) -> None:
        place = (entry.name, entry.index)
        ask = self._open.pop(place, None)
        if ask is not None:
            if ask.key is not None:
                del self._handed[ask.key]
            if ask.operation.kind == entry.kind:
                ask.set_result(entry.memo)
            else:
                self._open[place] = ask  # it never gets an answer: unwinding has to find it
                self._refused = _mismatch(
                    entry, f"is a {entry.kind}, but the body asks for a {ask.operation.kind}"
                )
        elif entry.index < self._uses.get(entry.name, 0):
            # Its asker went away before the memo came, then as now.
            self._withdrawn.pop(place, None)
        elif self._is_repeated(entry):
            self._refused = _mismatch(entry, "was not asked for again at its turn")
        else:
            self._kept[place] = entry

    def _answer_late(self) -> None:
        """Deliver an entry that was kept because it came before its ask."""
        ask = self._late.pop(0)
        entry = self._kept.pop(ask.place)
        if not ask.done():
            self._answer(entry)

    def _is_repeated(self, entry: Entry) -> bool:
        # Which use of an id is which depends on the order of asking: no telling any more.
        return entry.index > 0 or any(
            other.index > 0 and other.name == entry.name for other in self._entries
        )

    def _withdraw(self, ask: Ask) -> None:
        """The asker went away."""
        if self.is_unwinding or self._open.pop(ask.place, None) is None:
            return
        if ask.key is not None:
            del self._handed[ask.key]
            self._withdrawn[ask.place] = ask.key
        elif not self._has_begun:
            # An earlier life of this run may have handed it out.
            self._withdrawn[ask.place] = step_key(*ask.place)

    def _forget(self) -> None:
        """Break the references both ways that would leave it all to the garbage collector."""
        self._context = _NO_CONTEXT
        self._open.clear()
        self._handed.clear()

    def _turn(self) -> Turn:
        finished = self._outcome()
        refused = self._refused
        if finished is None and not self._open and not self._late and refused is None:
            refused = AssayError(
                f"nothing can wake the body; {self._stuck_at()}", code="body_stuck"
            )
        if refused is not None:
            finished = Finished(None, describe(refused), refused)
        asks: tuple[Asked, ...] = ()
        if self._fresh:
            if finished is None:
                asks = tuple([self._hand_out(ask) for ask in self._fresh if not ask.done()])
            self._fresh.clear()
        cancelled: tuple[UUID, ...] = ()
        if self._withdrawn:
            cancelled = tuple(self._withdrawn.values())
            self._withdrawn.clear()
        return Turn(asks, cancelled, finished, self._handed.keys())

    def _hand_out(self, ask: Ask) -> Asked:
        ask.key = key = step_key(*ask.place)
        self._handed[key] = ask
        return Asked(key, ask.place[1], ask.operation, ask.asked_in)


def _mismatch(entry: Entry, what: str) -> AssayError:
    use = f" (use {entry.index + 1})" if entry.index else ""
    return AssayError(
        f"journal entry {entry.seq}, step {entry.name!r}{use}, {what}",
        code="journal_mismatch",
        hint="the code has changed under a run in progress: let the old code finish it, "
        "or give changed steps new ids",
    )
