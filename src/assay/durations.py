"""Durations as people write them: "30s", "7d", "1h30m", a timedelta, or seconds."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from assay.errors import AssayError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")


def seconds(value: str | float | timedelta, *, field: str) -> float:
    """A duration in seconds; `bad_duration` for what is not one."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        if _WHOLE.fullmatch(value.strip()):
            return math.fsum(float(n) * _UNITS[unit] for n, unit in _PART.findall(value))
    elif not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    raise AssayError(
        f"{field} is not a duration: {value!r}",
        code="bad_duration",
        field=field,
        hint='write "30s", "5m", "1h30m", "7d", or a timedelta',
    )
