"""Comparisons of two arms without the rows that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.experiments.comparison import Comparison

if TYPE_CHECKING:
    from assay.stats.ratios import Difference, Mean


def comparison(control: Mean, treatment: Mean, difference: Difference) -> Comparison:
    """Variant b beside the control a, each run the same."""
    return Comparison(
        variant="b",
        control_variant="a",
        weighting="run",
        epochs=(),
        epochs_left_out=(),
        control=control,
        treatment=treatment,
        difference=difference,
        reason=None,
    )
