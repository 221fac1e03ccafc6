"""API keys: made once and shown once, stored as hashes, revoked by prefix or id."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from assay.errors import AssayError
from assay.ids import parse
from assay.store import keys as store
from assay.store.keys import KeyRecord

if TYPE_CHECKING:
    from assay.clock import Clock
    from assay.ids import Ids
    from assay.store.pool import AsyncConn

_PREFIX_LENGTH = 14
_MAX_NAME = 128


def hash_of(secret: str) -> bytes:
    """What is stored of a secret. It has 256 random bits, so nothing slow is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def create(
    connection: AsyncConn, *, project: int, name: str, clock: Clock, ids: Ids
) -> tuple[KeyRecord, str]:
    """A new key of a project, and its secret, which is nowhere kept.

    Raises:
        AssayError: `invalid` where the name is not 1 to 128 characters of printable text.
    """
    if not (name.strip() and name.isprintable() and len(name) <= _MAX_NAME):
        raise AssayError(
            f"the name of a key must be 1 to {_MAX_NAME} printable characters",
            code="invalid",
            field="name",
            hint='say what it is for, such as "production agents"',
        )
    secret = f"assay_{secrets.token_urlsafe(32)}"
    key = KeyRecord(ids.new(), project, name, secret[:_PREFIX_LENGTH], clock.now(), None)
    await store.add(connection, key, hash_=hash_of(secret))
    return key, secret


async def list_keys(connection: AsyncConn, *, project: int) -> list[KeyRecord]:
    """All keys of a project, the oldest first."""
    return await store.list_(connection, project=project)


async def revoke(connection: AsyncConn, *, project: int, key: str, clock: Clock) -> KeyRecord:
    """Revoke a key by its prefix or id; from then on no request with it is let in.

    Raises:
        AssayError: `key_not_found` where the project has no such live key.
    """
    try:
        text = str(parse(key))
    except AssayError:
        text = key
    revoked = await store.revoke(connection, project=project, key=text, now=clock.now())
    if not revoked:
        raise AssayError(
            f"there is no live key {key!r}",
            code="key_not_found",
            field="key",
            hint="`assay keys list` shows prefixes and ids",
        )
    return revoked[0]
