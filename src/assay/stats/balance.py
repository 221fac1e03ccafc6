"""Whether units came to the arms as the weights say, at any number of looks.

Source: Lindon and Malek, "Anytime-valid inference for multinomial count data", arXiv:2011.03567.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONCENTRATION = 100.0
"""Of the Dirichlet prior around the weights: as sure as after so many units."""
ALARM = 1000.0
"""The evidence from which on the assignment counts as broken: 1 false alarm in so many."""


def log_e(counts: Sequence[int], weights: Sequence[float]) -> float:
    """The log of the evidence that *counts* of units don't follow *weights*.

    Weights are relative; an arm of weight 0 that has units is infinite evidence.
    """
    import numpy as np  # noqa: PLC0415 - dear to import, rarely needed
    from scipy.special import gammaln, xlogy  # noqa: PLC0415 - dear to import, rarely needed

    n = np.asarray(counts, dtype=np.float64)
    w = np.asarray(weights, dtype=np.float64)
    if np.any(n[w == 0] > 0):
        return float("inf")
    n, w = n[w > 0], w[w > 0] / w.sum()
    prior = CONCENTRATION * w
    return float(
        gammaln(prior + n).sum()
        - gammaln(CONCENTRATION + n.sum())
        - gammaln(prior).sum()
        + gammaln(CONCENTRATION)
        - xlogy(n, w).sum()
    )
