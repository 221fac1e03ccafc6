"""Spans that user code made, as they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.store.pool import AsyncConn
    from assay.store.turns import Row

_ADD = queries("user_spans")["add"]
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str).encode


async def add(connection: AsyncConn, spans: Sequence[Row], *, project: int) -> None:
    """Append spans, each once by day, trace and span id, and add their tokens to their runs."""
    await connection.execute(_ADD, {"project": project, "spans": _encode(spans)}, prepare=True)
