"""What an event may be called and carry; each refusal is an AssayError with a code."""

from __future__ import annotations

from datetime import UTC, datetime

from assay.errors import AssayError
from assay.model import json_text

MAX_NAME_BYTES = 512
MAX_KEY_BYTES = 512
RESERVED = "assay/"
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def check_name(name: object) -> str:
    """The name itself, where users may send it; `event_name` otherwise."""
    if not isinstance(name, str) or not name.strip():
        raise _refusal("name", "must be a non-empty string")
    check_length(name)
    if name[: len(RESERVED)].lower() == RESERVED:
        raise _refusal("name", f"must not begin with {RESERVED!r}", "that prefix is Assay's own")
    return name


def check_length(name: str) -> str:
    """The name itself, where an event may have it, if only Assay may send it; else `event_name`."""
    return _check_text("name", name, MAX_NAME_BYTES)


def check_key(key: object) -> str:
    """An idempotency key of 1 to 512 bytes; `event_key` otherwise."""
    if not isinstance(key, str) or not key:
        raise _refusal("key", "must be a non-empty string")
    return _check_text("key", key, MAX_KEY_BYTES)


def check_data(data: object, *, max_bytes: int | None = None) -> str:
    """The exact JSON text of an event's data; `event_data` or `event_too_large` otherwise.

    Args:
        data: has to be an object, a dict of what JSON can hold.
        max_bytes: the most that its text may take in UTF-8.
    """
    if not isinstance(data, dict):
        raise _refusal(
            "data", f"must be a JSON object, not {_kind(data)}", "wrap it: {'value': ...}"
        )
    try:
        text = json_text.dump(data)
    except json_text.NotJsonError as error:
        raise _refusal(
            "data",
            f"holds what JSON can't: {error}",
            "turn it into text, numbers, lists and dicts, or send it through an EventType",
        ) from error
    check_size(text, max_bytes=max_bytes)
    return text


def check_size(text: str, *, max_bytes: int | None) -> None:
    """Refuse data whose text takes more than *max_bytes* in UTF-8 as `event_too_large`."""
    size = len(text.encode())
    if max_bytes is not None and size > max_bytes:
        raise AssayError(
            f"event data must be {max_bytes} bytes or fewer as JSON (got {size})",
            code="event_too_large",
            field="data",
            hint="store the large part elsewhere and send its address",
        )


def check_ts(ts: object) -> datetime:
    """The instant in UTC, between 1980 and 2100; `event_ts` otherwise.

    Args:
        ts: an aware datetime.
    """
    if not isinstance(ts, datetime) or ts.tzinfo is None:
        raise _refusal("ts", "must be a datetime with a time zone", "datetime.now(UTC)")
    if not EARLIEST <= ts < LATEST:
        raise _refusal("ts", f"must lie between 1980 and 2100 (got {ts.isoformat()})")
    return ts.astimezone(UTC)


def check_condition(if_: object) -> str | None:
    """A CEL condition, if there is one; `bad_condition` where it is empty or no text."""
    if if_ is None:
        return None
    if isinstance(if_, str) and if_.strip():
        return if_
    raise AssayError("if_ must be a CEL expression", code="bad_condition", field="if_")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it: no null characters, no lone surrogates."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _check_text(field: str, text: str, max_bytes: int) -> str:
    if not is_storable(text):
        raise _refusal(field, "must not contain null characters or lone surrogates")
    size = len(text.encode())
    if size > max_bytes:
        raise _refusal(field, f"must be {max_bytes} bytes or fewer in UTF-8 (got {size})")
    return text


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _refusal(field: str, wrong: str, hint: str | None = None) -> AssayError:
    return AssayError(f"event {field} {wrong}", code=f"event_{field}", field=field, hint=hint)
