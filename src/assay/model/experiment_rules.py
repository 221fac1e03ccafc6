"""What experiments and their variants may be called."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.model.event_rules import is_storable

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_NAME_BYTES = 128
MAX_UNIT_BYTES = 512
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def has_controls(name: str) -> bool:
    """Whether control characters are in it: routes end at a line's end, and terminals obey them."""
    return _CONTROLS.search(name) is not None


def number_of(value: object) -> int | float | None:
    """A finite number as Python's own, those of numpy and its like too; None for all else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    number = int(value) if isinstance(value, Integral) else float(value)
    try:
        return number if math.isfinite(number) else None
    except OverflowError:
        return None


def is_variant_name(name: object) -> bool:
    """Whether it is plain text of 1 to 128 bytes in UTF-8."""
    return (
        isinstance(name, str)
        and bool(name.strip())
        and is_storable(name)
        and not has_controls(name)
        and len(name.encode()) <= MAX_NAME_BYTES
    )


def check_variant(
    experiment: str, variant: object, variants: Collection[str], *, field: str
) -> str:
    """A variant that there is; `unknown_variant` otherwise."""
    if isinstance(variant, str) and variant in variants:
        return variant
    raise AssayError(
        f"experiment {experiment!r} has no variant {variant!r}",
        code="unknown_variant",
        field=field,
        hint=f"its variants are {', '.join(map(repr, variants))}",
    )


def check_force(force: object) -> dict[str, str] | None:
    """Variants by experiment, None where there are none; `event_force` for anything else."""
    if isinstance(force, Mapping) and all(
        is_variant_name(name) and is_variant_name(variant) for name, variant in force.items()
    ):
        return dict(force) or None
    raise AssayError(
        f"force must name a variant for each experiment, in 128 bytes at most (got {force!r:.80})",
        code="event_force",
        field="force",
        hint='force={"answer-style": "concise"}',
    )
