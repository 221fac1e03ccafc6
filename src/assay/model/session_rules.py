"""Sessions of events: what a pair may be, how layers fold, what several events share.

An event has two layers: what its author wrote, and what it inherits from the run that sends it.
The author's layer is three-valued: a key with an id sets it, a key with None drops the inherited
one, and a key that is absent keeps it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from assay.errors import AssayError

MAX_KEY_BYTES = 128
MAX_ID_BYTES = 512
MAX_PAIRS = 5

_EXAMPLE = 'sessions={"ticket_id": "tk_123"}'


def fold(
    author: object,
    inherited: Mapping[str, str] | None = None,
    *,
    drops_all: bool = False,
    max_pairs: int = MAX_PAIRS,
) -> dict[str, str]:
    """The sessions that an event ends up with.

    The author's keys always stay; inherited ones fill the places that are left, in the byte order
    of their keys. Tombstones are used up here and never counted.

    Args:
        author: None or a mapping of keys to a string, a finite number, or None (a tombstone).
        inherited: pairs of the sending run.
        drops_all: whether the author drops all that is inherited.
        max_pairs: the most that an event may carry.

    Raises:
        AssayError: `sessions_invalid`.
    """
    written = _layer(author)
    own = {key: value for key, value in written.items() if value is not None}
    if len(own) > max_pairs:
        raise _refusal(f"must have {max_pairs} pairs or fewer (got {len(own)})")
    for key, value in own.items():
        _check_bytes("key", key, MAX_KEY_BYTES)
        _check_bytes(f"id of {key!r}", value, MAX_ID_BYTES)
    if drops_all or not inherited:
        return own
    kept = sorted((key for key in inherited if key not in written), key=_bytes)
    return own | {key: inherited[key] for key in kept[: max_pairs - len(own)]}


def check_layer(author: object) -> None:
    """Refuse what no event can carry as `sessions_invalid`, whatever it will inherit."""
    fold(author)


def shared(events: Sequence[Mapping[str, str]], *, max_pairs: int = MAX_PAIRS) -> dict[str, str]:
    """The pairs that every event has, equal in key and id: the first ones in byte order."""
    if not events:
        return {}
    first, *others = events
    pairs = [
        (key, value)
        for key, value in sorted(first.items(), key=lambda pair: _bytes(pair[0]))
        if all(other.get(key) == value for other in others)
    ]
    return dict(pairs[:max_pairs])


def _layer(author: object) -> dict[str, str | None]:
    if author is None:
        return {}
    if not isinstance(author, Mapping):
        raise _refusal(f"must be an object of keys and ids, not {type(author).__name__}", _EXAMPLE)
    layer: dict[str, str | None] = {}
    for key, value in author.items():
        if not isinstance(key, str):
            raise _refusal(f"must have keys that are strings (got {key!r})", _EXAMPLE)
        layer[key] = None if value is None else _id(key, value)
    return layer


def _id(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        kind = "that number" if isinstance(value, float) else type(value).__name__
        raise _refusal(f"must have ids that are strings or finite numbers, not {kind} ({key!r})")
    return json.dumps(value)


def _check_bytes(what: str, text: str, most: int) -> None:
    if not text:
        raise _refusal(f"must not have an empty {what}")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _refusal(f"must not have null characters or lone surrogates in the {what}")
    size = len(_bytes(text))
    if size > most:
        raise _refusal(f"must hold the {what} in {most} bytes or fewer in UTF-8 (got {size})")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _refusal(wrong: str, hint: str | None = None) -> AssayError:
    return AssayError(f"sessions {wrong}", code="sessions_invalid", field="sessions", hint=hint)
