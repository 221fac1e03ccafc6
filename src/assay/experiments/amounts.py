"""Amounts as sentences, tables and pages write them: one unit for each thing everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_POINTS = 0.1
_POINTS = " pp"


def difference(number: float, *, is_share: bool) -> str:
    """A difference with its sign; of shares in percentage points."""
    return f"+{size(number, is_share=is_share)}" if number > 0 else size(number, is_share=is_share)


def ends(interval: Sequence[float], *, is_share: bool) -> str:
    """The ends of an interval of differences, with the unit once: `-1.0 to +2.0 pp`."""
    low, high = (difference(end, is_share=is_share) for end in interval)
    return f"{low.removesuffix(_POINTS)} to {high}"


def size(number: float, *, is_share: bool) -> str:
    """How large a difference is; of shares in percentage points."""
    if not is_share:
        return f"{number:.3g}"
    points = 100 * number
    # A tenth of a point is enough, but what is less than that is not none.
    digits = f"{points:.1f}" if abs(points) >= _LEAST_POINTS or not points else f"{points:.1g}"
    return digits + _POINTS


def count(n: int, noun: str) -> str:
    """So many of something: `1 run`, `2,000 runs`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
