"""The memos of a live run that its body has not seen yet."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from assay.model.journal import Entry

if TYPE_CHECKING:
    from assay.engine.writes import Fact, Writes

AHEAD = 100


class Unseen:
    """Gives memos to the body in the order of the journal, before they are durable.

    It may see them then, since all that it asks for is written with them or after them: its end
    goes into the same flush, and its next step begins when they are committed. It sees `AHEAD` of
    them at most, so that a body of nothing but scores lets other runs of the worker go on.
    """

    def __init__(self) -> None:
        self._facts: deque[Fact] = deque()

    def __len__(self) -> int:
        return len(self._facts)

    def add(self, fact: Fact) -> None:
        """Take a memo that was put into the run's next writes."""
        self._facts.append(fact)

    def next(self, writes: Writes, sending: Writes | None, *, last: int) -> Entry | None:
        """The next memo that the body may see.

        Args:
            writes: of the run's next flush.
            sending: those in flight.
            last: the place in the journal of the last memo that is in flight or durable.
        """
        facts = self._facts
        if not facts or len(writes.facts) > AHEAD:
            return None
        if sending is not None and sending.collect:
            # What this flush collects comes before them in the journal.
            return None
        asked, memo, _ = facts.popleft()
        operation = asked.operation
        return Entry(
            step=asked.key,
            seq=last + len(writes.facts) - len(facts),
            kind=operation.kind,
            name=operation.name,
            index=asked.index,
            memo=memo,
        )
