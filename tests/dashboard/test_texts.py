"""Numbers as pages write them."""

from __future__ import annotations

import pytest

from assay.dashboard.texts import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1 234 567"),
        (0.123456, "0.1235"),
        (-12345.678, "-12 350"),
        (924_912_345.6, "924 900 000"),
        (1.5e300, "1.5 x 10^300"),
        (-7.5081e-8, "-7.508 x 10^-8"),
        (None, "\N{EM DASH}"),
    ],
)
def test_numbers_are_read_at_a_glance(value: float | None, text: str) -> None:
    """Four digits that count, thousands apart, and powers of ten as people write them."""
    raised = str.maketrans(
        "\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ZERO}\N{SUPERSCRIPT THREE}\N{SUPERSCRIPT EIGHT}",
        "-038",
    )
    shown = " ".join(number(value).split())
    head, sign, power = shown.partition("\N{MULTIPLICATION SIGN} 10")
    assert (f"{head}x 10^{power.translate(raised)}" if sign else shown) == text
