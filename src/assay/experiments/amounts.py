"""Amounts as sentences, tables and pages write them: one unit for each thing everywhere."""

from __future__ import annotations

_LEAST_POINTS = 0.1


def difference(number: float, *, is_share: bool) -> str:
    """A difference with its sign; of shares in percentage points."""
    return f"+{size(number, is_share=is_share)}" if number > 0 else size(number, is_share=is_share)


def size(number: float, *, is_share: bool) -> str:
    """How large a difference is; of shares in percentage points."""
    if not is_share:
        return f"{number:.3g}"
    points = 100 * number
    # A tenth of a point is enough, but what is less than that is not none.
    return f"{points:.1f} pp" if abs(points) >= _LEAST_POINTS or not points else f"{points:.1g} pp"


def count(n: int, noun: str) -> str:
    """So many of something: `1 run`, `2,000 runs`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
