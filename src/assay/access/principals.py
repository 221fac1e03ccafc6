"""Who a request is from: the project of its key, or the default project in development."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.access.keys import hash_of
from assay.errors import AssayError
from assay.store import keys as store

if TYPE_CHECKING:
    from assay.store.pool import AsyncConn

DEFAULT_PROJECT = 1
PRINCIPAL = "assay.principal"
"""Where a request within this process carries who asks: in its scope, which no header reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whoever asks.

    Attributes:
        project: all that they may read and write.
        key: the prefix of their key, None in development without one.
        is_person: whether a person asks, with the dashboard; their scores say so.
    """

    project: int
    key: str | None = None
    is_person: bool = False


async def identify(connection: AsyncConn, secret: str) -> Principal:
    """Whose key this is; `key_invalid` for one that is unknown or revoked."""
    key = await store.find(connection, hash_=hash_of(secret))
    if key is None:
        raise AssayError(
            "the API key is unknown or revoked",
            code="key_invalid",
            field="Authorization",
            hint="make one with `assay keys create` and send it as `Authorization: Bearer <key>`",
        )
    return Principal(project=key.project_id, key=key.prefix)


def without_key(*, dev: bool) -> Principal:
    """Who asks without a key: in development the default project, else `key_missing`."""
    if dev:
        return Principal(project=DEFAULT_PROJECT)
    raise AssayError(
        "this server wants an API key",
        code="key_missing",
        field="Authorization",
        hint="send `Authorization: Bearer <key>`; `assay keys create` makes one",
    )
