"""Scripts and styles: compressed once, under a path that changes with what they hold.

The hash stands in the path (`/static/<hash>/app.js`), so that modules which import each other by
relative names are renewed together.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_IMPORTS = re.compile(r'^import .* from "\./([^"]+)";$', re.MULTILINE)
_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    kind: str
    raw: bytes
    packed: bytes


@cache
def all_files() -> dict[str, File]:
    """What `static/` holds, by the path below it."""
    return {name: _file(at) for name, at in _walk(files("assay.dashboard") / "static", "")}


@cache
def version() -> str:
    """A hash of all of them."""
    digest = hashlib.sha256()
    for name, file in sorted(all_files().items()):
        digest.update(name.encode() + b"\0" + file.raw + b"\0")
    return digest.hexdigest()[:12]


def path_of(name: str) -> str:
    """Where a file is asked for."""
    assert name in all_files(), name
    return f"/static/{version()}/{name}"


@cache
def imported(*names: str) -> tuple[str, ...]:
    """The modules that some import, and those import: all may be asked for at once."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        text = all_files()[waiting.pop(0)].raw.decode()
        new = [name for name in _IMPORTS.findall(text) if name not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return tuple(found)


def respond(request: Request) -> Response:
    """The answer to a request for a file."""
    file = all_files().get(request.path_params["name"])
    if file is None:
        return Response("there is no such file", status_code=404, media_type="text/plain")
    is_current = request.path_params["version"] == version()
    headers = {
        "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if is_current else "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.kind, headers=headers)
    return Response(file.raw, media_type=file.kind, headers=headers)


def _walk(at: Traversable, before: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in at.iterdir():
        if each.is_dir():
            found += _walk(each, f"{before}{each.name}/")
        elif each.name.endswith(tuple(_TYPES)):
            found.append((before + each.name, each))
    return found


def _file(at: Traversable) -> File:
    raw = at.read_bytes()
    kind = next(kind for ending, kind in _TYPES.items() if at.name.endswith(ending))
    return File(kind, raw, gzip.compress(raw, 9, mtime=0))
