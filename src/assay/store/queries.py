"""Named queries: `sql/<resource>.sql`, each under a line `-- name: word`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(resource: str) -> dict[str, str]:
    """The queries of a resource by name."""
    script = (files("assay.store") / "sql" / f"{resource}.sql").read_text()
    parts = _NAME.split(script)[1:]
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
