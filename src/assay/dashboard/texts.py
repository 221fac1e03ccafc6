"""Text and numbers as pages show them: whatever people wrote is seen, and stays text."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.experiments import amounts

if TYPE_CHECKING:
    from datetime import timedelta

# Controls but tab and newline; marks that turn the direction of text; line separators; BOM.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_PICTURES = 0x2400
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_TENTH, _MS_DIGITS = 0.1, 10
_THOUSAND = 1000
_MOST_DIGITS = 4
_MOST_WHOLE = 12
_TIMES = "\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}"
_RAISED = str.maketrans("-0123456789", "\N{SUPERSCRIPT MINUS}⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGE_LOG = 30.0
_EXACT = 2**53
DASH = "\N{EN DASH}"
NOTHING = "\N{EM DASH}"


def visible(text: str) -> str:
    """Text in which nothing hides: null characters, direction marks and the like are written out.

    U+200D stays, since emoji are joined by it, and so does what other scripts are written with.
    """
    return _HIDDEN.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    if character in "\u200c\u200d":
        return character
    if number < 0x20:  # noqa: PLR2004 - Unicode has a picture of each of these
        return chr(_PICTURES + number)
    return f"\u27e8U+{number:04X}\u27e9"


def without_surrogates(value: object) -> object:
    """The same JSON value, with lone surrogates written out."""
    if isinstance(value, str):
        return value if _is_storable(value) else _HIDDEN.sub(_surrogate, value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(item) for name, item in value.items()}
    return value


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _surrogate(found: re.Match[str]) -> str:
    number = ord(found[0])
    # The halves of a surrogate pair, which UTF-8 can't hold alone.
    return f"\\u{number:04x}" if 0xD800 <= number <= 0xDFFF else found[0]  # noqa: PLR2004


def pretty(value: object) -> str:
    """JSON with its lines indented; a text stands as it is, without quotes."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)


def compact(value: object, *, most: int = 200) -> str:
    """JSON on one line, cut after so many characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def number(value: float | None) -> str:
    """A number as people read it: four significant digits, thousands apart; a dash for None.

    Beyond what is easily read so, a power of ten stands beside it.
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() and abs(value) < _EXACT:
        return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return _rounded(value)


def _rounded(value: float) -> str:
    digits, _, power = f"{value:.{_MOST_DIGITS}g}".partition("e")
    if not power:
        return digits
    if 0 < int(power) < _MOST_WHOLE:
        return number(float(f"{digits}e{power}"))
    raised = str(int(power)).translate(_RAISED)
    return f"{digits}{_TIMES}10{raised}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 in per cent; a dash for None."""
    if share is None:
        return NOTHING
    digits = 0 if share in {0.0, 1.0} else 1
    return f"{share * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def signed(difference: float | None, *, is_share: bool = False) -> str:
    """A difference with its sign; of shares in percentage points; a dash for None."""
    if difference is None:
        return NOTHING
    return ("+" if difference > 0 else "") + size(difference, is_share=is_share)


def size(difference: float | None, *, is_share: bool = False) -> str:
    """How large a difference is; of shares in percentage points; a dash for None."""
    if difference is None or not is_share:
        return number(difference)
    return amounts.size(difference, is_share=True).replace(" ", "\N{NO-BREAK SPACE}")


def evidence(log_e: float | None) -> str:
    """An e-value from its logarithm, as people read it; a dash for None."""
    if log_e is None:
        return NOTHING
    if log_e > _LARGE_LOG:
        return f"e^{log_e:.0f}"
    return number(float(f"{math.exp(log_e):.2g}"))


def duration(span: timedelta | float | None) -> str:
    """A stretch of time (seconds, or a timedelta): 16 µs, 4 ms, 3.2 s, 5 min 3 s, 3 d 4 h."""
    if span is None:
        return NOTHING
    seconds = float(span) if isinstance(span, int | float) else span.total_seconds()
    space = "\N{NO-BREAK SPACE}"
    if seconds < 1:
        milliseconds = seconds * 1000
        if 0 < milliseconds < 1:
            return f"{milliseconds * 1000:.0f}{space}µs"
        digits = 1 if 0 < milliseconds < _MS_DIGITS else 0
        return f"{milliseconds:.{digits}f}{space}ms"
    if seconds < _MINUTE:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + f"{space}s"
    for unit, smaller, size, part in (
        ("min", "s", _MINUTE, 1.0),
        ("h", "min", _HOUR, _MINUTE),
        ("d", "h", _DAY, _HOUR),
    ):
        if seconds < size * {"min": 60, "h": 24, "d": math.inf}[unit]:
            whole, rest = divmod(seconds, size)
            text = f"{whole:.0f}{space}{unit}"
            return text + (f" {rest // part:.0f}{space}{smaller}" if rest >= part else "")
    raise AssertionError


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in one unit: `3 min ago`; `in 5 d` for what is to come."""
    seconds = (now - at).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "now"
    for unit, length, most in (
        ("s", 1.0, _MINUTE),
        ("min", _MINUTE, _HOUR),
        ("h", _HOUR, 2 * _DAY),
        ("d", _DAY, math.inf),
    ):
        if size < most:
            text = f"{size // length:.0f}\N{NO-BREAK SPACE}{unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    raise AssertionError


def instant(at: datetime) -> str:
    """An instant in UTC to the millisecond, as people read it; a whole minute as that."""
    is_whole = at.second == 0 and at.microsecond < 1000  # noqa: PLR2004 - a millisecond
    precision = "minutes" if is_whole else "milliseconds"
    return at.astimezone(UTC).isoformat(sep=" ", timespec=precision).replace("+00:00", "Z")


def iso(at: datetime) -> str:
    """An instant in UTC as the API reads it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def short_id(text: str) -> str:
    """The end of an id, which differs where ids of one moment begin alike."""
    return f"\N{HORIZONTAL ELLIPSIS}{text[-6:]}"


def span_id(number: int) -> str:
    """A span's stored number as the 16 digits of its id."""
    return f"{number % 2**64:016x}"


def parameter(value: object) -> str:
    """A value as a parameter of a query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
