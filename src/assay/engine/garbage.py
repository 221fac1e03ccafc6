"""The garbage collector of a worker process."""

from __future__ import annotations

import gc

_YOUNG = 20_000
_MIDDLE = 4


def collect_less() -> None:
    """Have the collector look seldom; for processes that mostly run functions.

    The parts of a live run hold no cycles, so that nearly nothing is left for the collector. Yet
    with Python's own thresholds its looks through hundreds of live runs take 40 % of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _MIDDLE)
