"""Replays the journals on its standard input, in a process of its own, and prints what it saw."""

from __future__ import annotations

import json
import sys
from uuid import UUID

from assay.errors import Failure
from assay.model.journal import Entry, Kind, Memo
from properties.replay.harness import outcome_of, start
from properties.replay.programs import from_json, play


def to_json(entries: list[Entry]) -> list[list[object]]:
    """A journal as JSON can hold it."""
    return [
        [str(e.step), e.seq, e.name, e.index, e.memo.output, (e.memo.failure or NO_FAILURE).message]
        for e in entries
    ]


NO_FAILURE = Failure(type="", message="")


def _entry(step: str, seq: int, name: str, index: int, output: str | None, failed: str) -> Entry:
    failure = Failure(type="Boom", bases=("Boom", "Exception"), message=failed)
    memo = Memo(output=output) if output is not None else Memo(failure=failure)
    return Entry(step=UUID(step), seq=seq, kind=Kind.STEP, name=name, index=index, memo=memo)


def replay(program: list[object], journal: list[tuple[str, int, str, int, str | None, str]]) -> str:
    """What a life with this journal does, as text."""
    node = from_json(*program)  # type: ignore[arg-type]
    replayed, life = start(lambda: play(node, "p"), [_entry(*each) for each in journal])
    turn = replayed.begin()
    replayed.unwind()
    assert turn.finished is not None
    return json.dumps([outcome_of(turn.finished), life.log, life.asked])


if __name__ == "__main__":
    for line in sys.stdin:
        print(replay(*json.loads(line)))  # noqa: T201 - the answer
