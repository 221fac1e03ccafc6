"""When a failed attempt is tried again."""

from __future__ import annotations

import logging
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from assay.durations import seconds
from assay.errors import AssayError, RetryAfterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.clock import Clock

BACKOFF_S = (15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200)
JITTER_S = 30.0
_log = logging.getLogger("assay.engine")


def delay_s(
    error: BaseException | None, *, attempt: int, clock: Clock, chance: Callable[[], float]
) -> float:
    """Seconds until the next attempt.

    Args:
        error: what the attempt raised; a RetryAfterError says itself when.
        attempt: the one that failed, from 1.
        clock: what an instant in a RetryAfterError is measured from.
        chance: gives a number in [0, 1), for the jitter.
    """
    if isinstance(error, RetryAfterError):
        try:
            return max(0.0, float(math.ceil(_wanted_s(error.after, clock))))
        except (AssayError, TypeError, OverflowError) as wrong:
            _log.warning("a RetryAfterError says no time, the usual one is taken: %s", wrong)
    base = BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]
    return base + chance() * JITTER_S


def _wanted_s(after: float | timedelta | str | datetime, clock: Clock) -> float:
    if isinstance(after, datetime):
        return (after - clock.now()).total_seconds()
    return seconds(after, field="after")
