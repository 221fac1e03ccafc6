"""Ids: ULIDs at the edge, `uuid` in tables; 48 bits of milliseconds, 80 of chance.

The canonical text is Crockford's base 32 in 26 characters (https://github.com/ulid/spec).
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.clock import Clock

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {c: i for i, c in enumerate(_ALPHABET)} | {c.lower(): i for i, c in enumerate(_ALPHABET)}
_LENGTH = 26
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_CHANCE_BITS = 80
_FETCHED = 128
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


class _SystemBits:
    """Random bits of the operating system, asked for by the hundred; for any thread."""

    def __init__(self) -> None:
        self._ready: list[int] = []
        # Else a forked process would mint the ids that its parent mints.
        os.register_at_fork(after_in_child=self._ready.clear)

    def __call__(self, count: int) -> int:
        """So many bits, 80 at most."""
        try:
            return self._ready.pop() >> (_CHANCE_BITS - count)
        except IndexError:
            size = _CHANCE_BITS // 8
            fetched = os.urandom(size * _FETCHED)
            self._ready += [
                int.from_bytes(fetched[start : start + size], "big")
                for start in range(0, len(fetched), size)
            ]
            return self(count)


_system_bits = _SystemBits()


class Ids:
    """Mints ids. Tests pass a seeded `bits` to know them."""

    def __init__(self, clock: Clock, bits: Callable[[int], int] = _system_bits) -> None:
        self._clock = clock
        self._bits = bits

    def new(self) -> UUID:
        """A new id whose order is that of time, to the millisecond."""
        chance = self._bits(_CHANCE_BITS)
        return UUID(int=(int(self._clock.time() * 1000) << _CHANCE_BITS) | chance)

    def span(self) -> int:
        """A span id: 63 random bits, never 0, so that it fits a signed bigint."""
        return self._bits(63) or 1


def to_text(value: UUID) -> str:
    """The 26 characters of an id."""
    number = value.int
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def parse(text: str, *, field: str = "id") -> UUID:
    """The id written as a ULID or as a UUID; `bad_id` otherwise."""
    if len(text) == _LENGTH:
        try:
            number = 0
            for character in text:
                number = number << 5 | _VALUES[character]
            return UUID(int=number)
        except (KeyError, ValueError):
            pass
    else:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise AssayError(
        f"{field} must be a ULID of 26 characters",
        code="bad_id",
        field=field,
        hint="take it from an answer of the API, unchanged",
    )


def minted_at(value: UUID) -> datetime:
    """The instant in an id."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, UTC)


def floor_at(instant: datetime) -> UUID:
    """The smallest id of an instant: the lower bound of a range of ids by time."""
    return UUID(int=max(0, (instant - _EPOCH) // _MS) << 80)


@lru_cache(maxsize=4096)
def step_key(name: str, index: int) -> UUID:
    """The key of the index-th use of a step id in a run (0 for the first).

    The first 128 bits of SHA-1 of the id, of `id:1` for the second use, and so on.
    """
    text = name if index == 0 else f"{name}:{index}"
    digest = hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return UUID(bytes=digest[:16])


def span_of(*parts: object) -> int:
    """A span id derived from what it stands for, so that it needs no storing."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1 or 1
