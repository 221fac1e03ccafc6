"""Quantiles of durations that were counted in buckets, each 1.1 times as wide as the one before.

Bucket 1 is of up to a microsecond, bucket b of more than 1.1^(b-2) and at most 1.1^(b-1). What is
given for a bucket is the value that is equally far from both of its ends, relatively: by less than
5 %. Counts of the same buckets may be added, which no stored quantile may be.
Source: Masson, Rim and Lee, DDSketch (VLDB 2019), https://arxiv.org/abs/1908.10693
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = 1.1


def middle(bucket: int) -> float:
    """The duration that a bucket stands for, in microseconds."""
    return 2 * BASE ** (bucket - 1) / (1 + BASE) if bucket > 1 else 1.0


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """The smallest counted duration that a share q of all does not exceed, in microseconds.

    Args:
        counts: how many are in each bucket, from 1; others are left out.
        q: from 0 to 1.

    Returns:
        Within 5 %; None where nothing is counted.
    """
    counted = sorted((bucket, n) for bucket, n in counts.items() if bucket >= 1 and n > 0)
    rank = max(1, math.ceil(q * sum(n for _, n in counted)))
    below = 0
    for bucket, n in counted:
        below += n
        if below >= rank:
            return middle(bucket)
    return None
