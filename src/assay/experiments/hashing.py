"""Which variant a unit gets: weighted rendezvous, which needs no order of variants.

Each variant draws u in (0, 1) from the SHA-256 of the JSON array
`[project, experiment, salt, variant, unit]` (UTF-8, no spaces, non-ASCII as it is): its first 53
bits plus one half, over 2^53. The least -ln(u) / weight wins, so that each variant wins with its
share of the weights, and a changed weight moves only the units that it has to.

Source: Schindelhauer and Schomaker 2005, "Weighted distributed hash tables".
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BITS = 53
_SCALE = 2.0**-_BITS


def draw(project: str, experiment: str, salt: str, variant: str, unit: str) -> float:
    """The number in (0, 1) that a variant draws for a unit."""
    key = [project, experiment, salt, variant, unit]
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"))
    first = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> (64 - _BITS)
    return (first + 0.5) * _SCALE


def choose(
    project: str, experiment: str, salt: str, weights: Mapping[str, float], unit: str
) -> str:
    """The variant of a unit; one of weight 0 never wins, and one at least has more."""
    _, variant = min(
        (-math.log(draw(project, experiment, salt, variant, unit)) / weight, variant)
        for variant, weight in weights.items()
        if weight > 0
    )
    return variant
