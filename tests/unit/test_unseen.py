"""What a body may see of what is not durable yet."""

from __future__ import annotations

from contextvars import Context
from uuid import UUID

from assay.engine.replay import Asked
from assay.engine.unseen import AHEAD, Unseen
from assay.engine.writes import Fact, Writes
from assay.ids import step_key
from assay.model.journal import Kind, Memo
from assay.sdk.port import Operation, Sleep


def fact(writes: Writes, unseen: Unseen, name: str) -> None:
    """A memo for the next flush."""
    asked = Asked(step_key(name, 0), 0, Operation(Kind.SLEEP, name, Sleep(for_s=1)), Context())
    made = Fact(asked, Memo(output="null"), {"run": UUID(int=1)})
    writes.facts.append(made)
    unseen.add(made)


def test_memos_are_seen_in_the_order_of_the_journal() -> None:
    """With the places that they will have in it, after those in flight."""
    writes, unseen = Writes(), Unseen()
    for name in "ab":
        fact(writes, unseen, name)
    seen = [unseen.next(writes, None, last=5) for _ in range(3)]
    assert [one and (one.name, one.seq) for one in seen] == [("a", 6), ("b", 7), None]


def test_a_memo_waits_for_what_a_flush_in_flight_collects() -> None:
    """That has its place in the journal before it."""
    writes, sending, unseen = Writes(), Writes(), Unseen()
    sending.collect = True
    fact(writes, unseen, "a")
    before = unseen.next(writes, sending, last=0)
    after = unseen.next(writes, None, last=3)
    assert before is None
    assert after is not None
    assert after.seq == 4


def test_a_body_does_not_run_ahead_for_ever() -> None:
    """Memos beyond the limit are seen when those before them are on their way."""
    writes, unseen = Writes(), Unseen()
    for number in range(AHEAD + 2):
        fact(writes, unseen, str(number))
    assert unseen.next(writes, None, last=0) is None
    taken = Writes()
    entry = unseen.next(taken, writes, last=AHEAD + 2)
    assert entry is not None
    assert (entry.name, entry.seq) == ("0", 1)
