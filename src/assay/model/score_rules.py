"""What a score may be: its rules in their order, each refusal a non-retriable AssayError."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.model.event_rules import EARLIEST, LATEST, is_storable
from assay.model.id_rules import MAX_OWN_BYTES, is_short
from assay.model.reference_rules import MAX_INDEX, check_reference

if TYPE_CHECKING:
    from assay.model.experiments import ExperimentRef

MAX_NAME_BYTES = 128
RESERVED = "run."
"""What the names of metrics begin with that need no score."""
MAX_AUTHOR_BYTES = 512
MAX_RATIONALE_BYTES = 64 * 1024
AHEAD = timedelta(hours=1)
"""So far clocks may differ."""

_CONTROLS = frozenset(map(chr, range(0x20))) | {"\x7f", "'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedScore:
    """A score whose parts are valid, with the target as it was written.

    Attributes:
        value: a boolean stays one; numpy scalars have become Python's.
        run_id, step_id, index: as written; None where they were not.
        reference: the exposure that it counts for; None leaves that to where its run was exposed.
        at: in UTC; None means when it is received.
    """

    name: str
    value: bool | int | float
    run_id: str | None = None
    step_id: str | None = None
    index: int | None = None
    rationale: str | None = None
    author: str | None = None
    at: datetime | None = None
    reference: ExperimentRef | None = None


def check_score(options: object, *, max_name_bytes: int = MAX_NAME_BYTES) -> CheckedScore:
    """Check a score given as a mapping.

    Args:
        options: `name` and `value`, optionally `run_id`, `step_id`, `index`, `rationale`,
            `author`, `at`, `experiment`. A `run_id`, `step_id` or `experiment` that is there
            must not be None.
        max_name_bytes: the most that a name may take in UTF-8.

    Raises:
        AssayError: `score_options`, `score_target`, `score_name`, `score_value`, `score_detail`,
            `score_reference`.
    """
    if not isinstance(options, Mapping):
        raise _refusal("options", None, "score options must be an object")
    ids = {field: _target(options, field) for field in ("run_id", "step_id")}
    return CheckedScore(
        name=check_given(options.get("name"), max_bytes=max_name_bytes),
        value=check_value(options.get("value")),
        run_id=ids["run_id"],
        step_id=ids["step_id"],
        index=_index(options.get("index"), ids["step_id"]),
        rationale=_text("rationale", options.get("rationale"), MAX_RATIONALE_BYTES),
        author=_text("author", options.get("author"), MAX_AUTHOR_BYTES),
        at=_at(options.get("at")),
        reference=_reference(options, ids["step_id"]),
    )


def check_name(name: object, *, max_bytes: int = MAX_NAME_BYTES) -> str:
    """The name itself, untrimmed; `score_name` otherwise."""
    if not isinstance(name, str) or not name.strip():
        raise _refusal("name", "name", "score name must be a non-empty string")
    if not _CONTROLS.isdisjoint(name) or _has_surrogates(name):
        raise _refusal(
            "name", "name", "score name must not contain control characters or single quotes"
        )
    size = len(name.encode())
    if size > max_bytes:
        raise _refusal(
            "name", "name", f"score name must be {max_bytes} bytes or fewer in UTF-8 (got {size})"
        )
    return name


def check_given(name: object, *, max_bytes: int = MAX_NAME_BYTES) -> str:
    """The name of a score that somebody gives: none that runs have; `score_name` otherwise."""
    checked = check_name(name, max_bytes=max_bytes)
    if checked.startswith(RESERVED):
        raise _refusal(
            "name",
            "name",
            f"score name must not begin with {RESERVED!r} (got {checked!r})",
            "those are what runs say of themselves: give yours another name",
        )
    return checked


def check_value(value: object) -> bool | int | float:
    """The value as a Python boolean or number; `score_value` otherwise.

    Scalars of numpy and its like (an `item()` and no dimensions) count as what they hold.
    A Decimal is refused, since a score is stored as a double: the rounding is the caller's.
    """
    hint = None
    if getattr(value, "shape", None) == () and callable(item := getattr(value, "item", None)):
        value = item()
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        number = int(value) if isinstance(value, int) else float(value)
        if _is_finite(number):
            return number
    elif isinstance(value, Decimal):
        hint = "write float(value)"
    elif isinstance(value, str):
        hint = "a score is a measurement; put words into its rationale"
    elif value is None:
        hint = "where there is no answer, give no score"
    raise _refusal("value", "value", "score value must be a finite number or boolean", hint)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _target(options: Mapping[object, object], field: str) -> str | None:
    if field not in options:
        return None
    value = options[field]
    if not isinstance(value, str) or not value.strip():
        raise _refusal("target", field, f"{field} must be a non-empty string")
    if not is_storable(value):
        wrong = f"{field} must not contain null characters or lone surrogates"
        raise _refusal("target", field, wrong)
    if not is_short(value):
        raise _refusal("target", field, f"{field} must be {MAX_OWN_BYTES} bytes or fewer in UTF-8")
    return value


def _index(index: object, step_id: str | None) -> int | None:
    if index is None:
        return None
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= MAX_INDEX:
        raise _refusal("target", "index", "index must be a whole number from 0 on")
    if step_id is None:
        raise _refusal("target", "index", "index needs a step_id, whose use it counts")
    return index


def _reference(options: Mapping[object, object], step_id: str | None) -> ExperimentRef | None:
    if "experiment" not in options:
        return None
    if step_id is not None:
        raise _refusal(
            "reference",
            "experiment",
            "a score that names an experiment is about its run, not about a step",
            "leave step_id out",
        )
    return check_reference(options["experiment"])


def _text(field: str, text: object, max_bytes: int) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise _refusal("detail", field, f"score {field} must be a string")
    if "\0" in text or _has_surrogates(text):
        # What a model wrote should not cost the score that it explains.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = text.replace("\0", "\ufffd")
    size = len(text.encode())
    if size > max_bytes:
        raise _refusal(
            "detail", field, f"score {field} must be {max_bytes} bytes or fewer (got {size})"
        )
    return text


def _at(at: object) -> datetime | None:
    if at is None:
        return None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise _refusal("detail", "at", "score at must be a datetime with a time zone")
    if not EARLIEST <= at < LATEST:
        message = f"score at must lie between 1980 and 2100 (got {at.isoformat()})"
        raise _refusal("detail", "at", message)
    return at.astimezone(UTC)


def check_not_ahead(at: datetime | None, now: datetime) -> None:
    """That a score holds by now, or `AHEAD` from now; else `score_detail`.

    One of a year to come would hide all that are given until then.
    """
    if at is not None and at > now + AHEAD:
        message = f"score at must not lie ahead (got {at.isoformat()}, it is {now.isoformat()})"
        raise _refusal("detail", "at", message)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _refusal(part: str, field: str | None, message: str, hint: str | None = None) -> AssayError:
    return AssayError(message, code=f"score_{part}", field=field, hint=hint)
