"""When a failed attempt is tried again."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from assay.durations import seconds
from assay.errors import RetryAfterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.clock import Clock

BACKOFF_S = (15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200)
JITTER_S = 30.0


def delay_s(
    error: BaseException | None, *, attempt: int, clock: Clock, chance: Callable[[], float]
) -> float:
    """Seconds until the next attempt.

    Args:
        error: what the attempt raised; a RetryAfterError says itself when.
        attempt: the one that failed, from 1.
        chance: gives a number in [0, 1), for the jitter.
    """
    if isinstance(error, RetryAfterError):
        if isinstance(error.after, datetime):
            delay = (error.after - clock.now()).total_seconds()
        else:
            delay = seconds(error.after, field="after")
        return max(0.0, float(math.ceil(delay)))
    base = BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]
    return base + chance() * JITTER_S
