"""Durations as people write them: "30s", "7d", "1h30m", a timedelta, or seconds."""

from __future__ import annotations

import math
import re
import sys
from datetime import timedelta

from assay.errors import AssayError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")

LONGEST_S = 36525 * 86400.0
"""A hundred years: what lasts longer ends where neither Python nor people count."""


def seconds(value: str | float | timedelta, *, field: str) -> float:
    """A duration in seconds; `bad_duration` for what is not one, or ends in no calendar."""
    found = _seconds(value)
    if found is None:
        raise AssayError(
            f"{field} is not a duration: {value!r}",
            code="bad_duration",
            field=field,
            hint='write "30s", "5m", "1h30m", "7d", or a timedelta',
        )
    if found > LONGEST_S:
        raise AssayError(
            f"{field} is longer than {LONGEST_S / _UNITS['d']:.0f} days: {value!r}",
            code="bad_duration",
            field=field,
            hint="numbers are seconds",
        )
    return found


def is_duration(text: str) -> bool:
    """Whether a text is written as a duration."""
    return _WHOLE.fullmatch(text.strip()) is not None


def _seconds(value: object) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        if is_duration(value):
            return math.fsum(float(n) * _UNITS[unit] for n, unit in _PART.findall(value))
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    is_one = 0 <= value <= sys.float_info.max  # also for whole numbers that no float holds
    return float(value) if is_one else None
