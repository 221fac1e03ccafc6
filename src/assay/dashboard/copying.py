"""The same question for a program: as curl and as Python."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.dashboard.asking import address

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask


@dataclass(frozen=True, slots=True)
class Copied:
    """What a program asks to get what a page shows; `sql` where the page knows its statement."""

    curl: str
    python: str
    sql: str | None = None


def copied(ask: Ask, sql: str | None = None) -> Copied:
    """The page's list or record, as the API is asked for it."""
    url = ask.server + address(f"/api/v1/{ask.api_path()}", ask.api_query())
    wants_key = ask.key is not None
    curl = "curl " + ('-H "Authorization: Bearer $ASSAY_API_KEY" ' if wants_key else "")
    lines = ["import httpx2", ""]
    if wants_key:
        lines[:1] = ["import os", "", "import httpx2"]
        lines += [
            'key = os.environ["ASSAY_API_KEY"]',
            'headers = {"Authorization": f"Bearer {key}"}',
        ]
    lines.append(f"found = httpx2.get({url!r}{', headers=headers' if wants_key else ''}).json()")
    return Copied(curl=curl + shlex.quote(url), python="\n".join(lines), sql=sql)
