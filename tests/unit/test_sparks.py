"""Small pictures: nothing is drawn that is not known, and nothing that is known is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.dashboard.sparks import spark

NUMBERS = st.floats(-1e6, 1e6)
MARGINS = st.floats(0, 1e3)


@st.composite
def estimates(draw: st.DrawFn) -> list[tuple[float, float | None, tuple[float, float] | None]]:
    """Estimates in the order of time; some without a value, some without an interval."""
    count = draw(st.integers(0, 12))
    found = []
    for place in range(count):
        value = draw(st.none() | NUMBERS)
        ci = None
        if value is not None and draw(st.booleans()):
            ci = (value - draw(MARGINS), value + draw(MARGINS))
        found.append((place / max(1, count - 1), value, ci))
    return found


@given(estimates())
def test_every_value_is_a_point_with_its_band_or_a_bare_one(
    found: list[tuple[float, float | None, tuple[float, float] | None]],
) -> None:
    """Within the picture; a band never reaches over a point that has none."""
    drawn = spark(found, is_share=False)
    known = [x for x, value, _ in found if value is not None]
    assert [x for x, _ in drawn.points] == known
    banded = [x for piece in drawn.pieces for x, _, _ in piece]
    assert sorted([*banded, *(x for x, _ in drawn.bare)]) == known
    for piece in drawn.pieces:
        between = [x for x in known if piece[0][0] <= x <= piece[-1][0]]
        assert between == [x for x, _, _ in piece]
    heights = [y for _, y in drawn.points]
    heights += [bound for piece in drawn.pieces for _, *ends in piece for bound in ends]
    assert all(-1e-9 <= height <= 1 + 1e-9 for height in heights)


def test_shares_stand_between_0_and_1() -> None:
    """So that rows of a table can be compared."""
    drawn = spark([(0.0, 0.4, (0.3, 0.5)), (1.0, 0.6, None)], is_share=True)
    assert (drawn.low, drawn.high) == (0.0, 1.0)
    assert [y for _, y in drawn.points] == pytest.approx([0.4, 0.6])
    assert drawn.bare == drawn.points[1:]
