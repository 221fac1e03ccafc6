"""How a score went from run to run of a session: a mark for each that has it, or waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.texts import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.store.outcomes import OutcomeRecord
    from assay.store.scores import ScoreRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a run has of a score.

    Attributes:
        place: of the run among those that are shown, from 0.
        look: `true`, `false`, `number` or `pending`.
        height: of a number between the least and the greatest of the strip, 0 to 1.
        words: the value, or that it is waited for.
    """

    place: int
    look: str
    height: float
    words: str


def strip(
    name: str, runs: Sequence[tuple[Sequence[ScoreRecord], Sequence[OutcomeRecord]]]
) -> list[Mark]:
    """The marks of a name over runs in the order of time: each with its scores and its promises.

    A run that neither has the score nor waits for it has none: that is not 0.
    """
    found = [next((one for one in scores if one.name == name), None) for scores, _ in runs]
    values = [one.value for one in found if one is not None and not one.is_bool]
    least, most = (min(values), max(values)) if values else (0.0, 0.0)
    marks: list[Mark] = []
    for place, (score, (_, promised)) in enumerate(zip(found, runs, strict=True)):
        if score is None:
            if any(one.name == name and one.state == "pending" for one in promised):
                marks.append(Mark(place=place, look="pending", height=0.5, words="pending"))
        elif score.is_bool:
            word = "true" if score.value else "false"
            marks.append(Mark(place=place, look=word, height=float(score.value != 0), words=word))
        else:
            height = 0.5 if least == most else (score.value - least) / (most - least)
            words = number(score.value)
            marks.append(Mark(place=place, look="number", height=height, words=words))
    return marks
