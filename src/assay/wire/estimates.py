"""Numbers with what it takes to trust them."""

from __future__ import annotations

from pydantic import Field

from assay.wire.base import Message


class Estimate(Message):
    """A rate or mean with its interval.

    Attributes:
        estimate: null where there are no values.
        ci: bounds of the interval of level 1 - alpha.
        method: how it was made: `wilson_neff` for shares, `cr2_t` for means.
        unit: what varies on its own: `session`, or `run` where runs have none.
        n_units: how many of them there are.
        n_eff: how many independent values would tell as much.
        reason: why a part is null.
    """

    estimate: float | None
    ci: tuple[float, float] | None
    se: float | None = None
    method: str
    unit: str
    n_units: int
    n_eff: float | None = None
    alpha: float = Field(gt=0, lt=1)
    reason: str | None = None
