"""Small pictures of an estimate over time: a line, its interval, and where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Point: TypeAlias = "tuple[float, float]"
Bounds: TypeAlias = "tuple[float, float, float]"
Estimated: TypeAlias = "tuple[float, float | None, tuple[float, float] | None]"
"""When (from 0 to 1), what, and its interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A line in a square from (0, 0) to (1, 1).

    Attributes:
        points: in the order of time.
        pieces: of the band: neighbours that have an interval each, with its ends.
        bare: the points without an interval.
        low, high: the values that 0 and 1 stand for.
    """

    points: list[Point]
    pieces: list[list[Bounds]]
    bare: list[Point]
    low: float
    high: float


def spark(estimates: Iterable[Estimated], *, is_share: bool) -> Spark:
    """A picture of estimates; shares between 0 and 1, numbers as high as they and intervals are."""
    known = [(x, y, ci) for x, y, ci in estimates if y is not None]
    heights = [height for _, y, ci in known for height in (y, *(ci or ()))]
    low, high = (0.0, 1.0) if is_share or not heights else (min(heights), max(heights))
    room = (high - low) or 1.0
    points: list[Point] = []
    bare: list[Point] = []
    pieces: list[list[Bounds]] = [[]]
    for x, y, ci in known:
        points.append((x, (y - low) / room))
        if ci is None:
            bare.append(points[-1])
            pieces.append([])
        else:
            pieces[-1].append((x, (ci[0] - low) / room, (ci[1] - low) / room))
    return Spark(
        points=points, pieces=[piece for piece in pieces if piece], bare=bare, low=low, high=high
    )
