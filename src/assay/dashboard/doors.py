"""Who may look, and who may act.

Where the server wants no keys it answers this machine alone: a page of another site can neither
read through a name that it rebinds to this machine (the Host is checked) nor by a request of its
own (its browser says `Sec-Fetch-Site: cross-site`, or an Origin). Where it wants keys, signing in
takes one and gives a cookie that holds none: the key's id, an end, and a signature of both by the
hash that is stored of the key. So it is checked without a table of sessions, in any process, ends
when the key is revoked, and tells nobody the key.

Why that keeps forged requests out: the cookie is SameSite=Strict, so no request that another site
begins carries it; and an action must come from a page of this very origin, which the browser says
in `Sec-Fetch-Site` or `Origin`, headers that no script can set. A token in each form would add
nothing to the two. A request with neither header is refused too: programs have the API.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assay.access.binding import check_local
from assay.access.keys import hash_of
from assay.access.principals import Principal, without_key
from assay.errors import AssayError
from assay.ids import parse, to_text
from assay.store import keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from assay.access.services import Services, Writer
    from assay.store.keys import KeyRecord

COOKIE = "assay_signed_in"
STAYS_S = 7 * 24 * 3600
_FRIENDS = frozenset({"same-origin", "none"})


async def who(
    services: Services, headers: Mapping[str, str], cookies: Mapping[str, str]
) -> Principal:
    """Who looks; `key_missing` where they have to sign in, `not_local` where nobody may."""
    signed = cookies.get(COOKIE)
    if signed is not None:
        key = await _signed_by(services, signed)
        if key is not None:
            return Principal(project=key.project_id, key=key.prefix, is_person=True)
    anonymous = without_key(dev=services.dev)
    check_local(headers.get("host"), headers.get("origin"))
    # A link from another site may lead here; its scripts and frames may not read.
    if headers.get("sec-fetch-mode", "navigate") != "navigate":
        _check_site(headers)
    return Principal(project=anonymous.project, is_person=True)


async def is_signed_in(services: Services, cookies: Mapping[str, str]) -> bool:
    """Whether a request carries a cookie that still holds."""
    signed = cookies.get(COOKIE)
    return signed is not None and await _signed_by(services, signed) is not None


async def sign_in(services: Services, secret: str) -> str:
    """The cookie of whoever holds this key; `key_invalid` for an unknown or revoked one."""

    async def find(writer: Writer) -> KeyRecord | None:
        return await keys.find(await writer.link.get(), hash_=hash_of(secret))

    key = await services.write(find)
    if key is None:
        raise AssayError(
            "the API key is unknown or revoked",
            code="key_invalid",
            field="key",
            hint="`assay keys create` makes one; paste all of it",
        )
    ends = int(services.now().timestamp()) + STAYS_S
    return f"{to_text(key.id)}.{ends}.{_signature(hash_of(secret), key.id, ends)}"


def check_own(headers: Mapping[str, str]) -> None:
    """Refuse an action that no page of this server asks for; `not_same_origin`."""
    if "sec-fetch-site" in headers:
        is_own = headers["sec-fetch-site"] == "same-origin"
    else:
        # A browser says so only on https and loopback, but sends the origin with every POST.
        is_own = urlsplit(headers.get("origin", "")).netloc == headers.get("host") != ""
    if not is_own:
        raise _foreign()


def _check_site(headers: Mapping[str, str]) -> None:
    if headers.get("sec-fetch-site", "same-origin") not in _FRIENDS:
        raise _foreign()


async def _signed_by(services: Services, cookie: str) -> KeyRecord | None:
    """The live key that a cookie is signed by."""
    try:
        id_, ends_text, signature = cookie.split(".")
        key_id, ends = parse(id_), int(ends_text)
    except (ValueError, AssayError):
        return None
    if not _is_before(services.now(), ends):
        return None

    async def find(writer: Writer) -> tuple[KeyRecord, bytes] | None:
        return await keys.live(await writer.link.get(), key=key_id)

    found = await services.write(find)
    if found is None:
        return None
    key, hash_ = found
    good = hmac.compare_digest(signature.encode(), _signature(hash_, key_id, ends).encode())
    return key if good else None


def _is_before(now: datetime, ends: int) -> bool:
    return now.timestamp() < ends


def _signature(hash_: bytes, key: UUID, ends: int) -> str:
    return hmac.new(hash_, f"dashboard.{to_text(key)}.{ends}".encode(), "sha256").hexdigest()


def _foreign() -> AssayError:
    return AssayError(
        "this request comes from another site",
        code="not_same_origin",
        field="Origin",
        hint="open the dashboard itself; programs use the API under /api/v1",
    )
