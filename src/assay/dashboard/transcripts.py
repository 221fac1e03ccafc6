"""What was said: the messages of model calls in order, each once.

Models are called with the messages so far, or with those that are new; either way what was shown
before is not shown again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.model.messages import asked_and_answered, of_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from assay.model.messages import Message
    from assay.store.transcripts import Spoken

MOST_MESSAGES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message, and the span that it was first seen in.

    Attributes:
        is_last: whether it is the last one of its span, beside which its step's scores stand.
    """

    message: Message
    span: Spoken
    is_last: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in some runs; `is_cut` where there was more than is shown."""

    said: dict[UUID, list[Said]]
    is_cut: bool = False


def transcript(spoken: Sequence[Spoken], *, most: int) -> Transcript:
    """The messages of the first `most` spans and steps, which come in the order of time, by run.

    Runs are read one after the other, as they are shown: those of one time talk past each other.
    """
    before: list[Message] = []
    said: dict[UUID, list[Said]] = {}
    is_cut, count = len(spoken) > most, 0
    for span in sorted(spoken[:most], key=lambda one: one.run_id):
        if span.is_large or count >= MOST_MESSAGES:
            is_cut = True
            continue
        new = _of_span(span, before) if span.attributes else _of_step(span, before)
        before += new
        said.setdefault(span.run_id, []).extend(
            Said(message=one, span=span, is_last=index == len(new) - 1)
            for index, one in enumerate(new)
        )
        count += len(new)
    return Transcript({run: found for run, found in said.items() if found}, is_cut)


def _of_span(span: Spoken, before: list[Message]) -> list[Message]:
    given = json.loads(span.attributes or "{}")
    asked, answered = asked_and_answered(given if isinstance(given, dict) else {})
    return [*_new(asked, before), *answered]


def _of_step(step: Spoken, before: list[Message]) -> list[Message]:
    """What a step took and gave; it may give back the messages that it took."""
    asked, answered = (
        of_values(json.loads(text)) if text else [] for text in (step.input, step.output)
    )
    new = _new(asked, before)
    return [*new, *_new(answered, [*before, *new])]


def _new(asked: list[Message], before: list[Message]) -> list[Message]:
    """The messages of a call that were not shown: those after the ones that it has in common."""
    instructions = [one for one in asked if one.role == "system" and one not in before]
    rest = [one for one in asked if one.role != "system"]
    talked = [one for one in before if one.role != "system"]
    if rest and talked[: len(rest)] == rest:
        # The same call once more, or one beside it.
        return instructions
    most = min(len(rest), len(talked))
    known = next((n for n in range(most, 0, -1) if talked[-n:] == rest[:n]), 0)
    return instructions + rest[known:]
