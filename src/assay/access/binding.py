"""Where a server may listen: beyond this machine only where requests need keys."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assay.errors import AssayError
from assay.store import keys as store

if TYPE_CHECKING:
    from assay.store.pool import AsyncConn


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine alone."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def needs_keys(connection: AsyncConn, host: str) -> bool:
    """Whether a server on this host has to ask for keys: it need not on loopback.

    Raises:
        AssayError: `keys_required` where it has to, and no key was made yet.
    """
    if is_loopback(host):
        return False
    if await store.any_live(connection):
        return True
    raise AssayError(
        f"without an API key a server may listen on this machine only, not on {host}",
        code="keys_required",
        field="host",
        hint="make a key with `assay keys create`, or listen on 127.0.0.1",
    )


def check_local(host: str | None, origin: str | None) -> None:
    """Refuse what a foreign web page makes a browser send to a server that wants no keys.

    Args:
        host: the header, which a page that rebinds its name to this machine can't change.
        origin: the header, set where a page of another origin sends.

    Raises:
        AssayError: `not_local`.
    """
    for field, address in (("Host", f"//{host or ''}"), ("Origin", origin)):
        if address is None:
            continue
        try:
            name = urlsplit(address).hostname or ""
        except ValueError:
            name = ""
        if not is_loopback(name):
            raise AssayError(
                f"a server without keys answers this machine alone, not {field} {name!r}",
                code="not_local",
                field=field,
                hint="use http://127.0.0.1, or start the server with API keys",
            )
