"""JSON answers: exact texts from the database are spliced in, whatever strings hold is escaped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from starlette.responses import Response

from assay.ids import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assay.store.pages import Page, T


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text that goes into an answer as it is."""

    text: str


Answer: TypeAlias = (
    "bool | int | float | str | UUID | datetime | Raw"
    " | Sequence[Answer] | Mapping[str, Answer] | None"
)
"""What an answer may hold: ids become ULIDs, instants ISO 8601 in UTC."""


def encode(value: object) -> str:
    """The JSON text of an answer. Pure ASCII, so that lone surrogates pass."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, UUID):
        return f'"{to_text(value)}"'
    if isinstance(value, datetime):
        return f'"{instant(value)}"'
    return json.dumps(value)


def raw(text: str | None) -> Raw | None:
    """Stored JSON text, None where there is none."""
    return None if text is None else Raw(text)


def instant(at: datetime) -> str:
    """ISO 8601 in UTC with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def answer(value: Answer, *, status: int = 200) -> Response:
    """An answer with this JSON."""
    body = encode(value).encode("utf-8", "surrogatepass")
    return Response(body, status_code=status, media_type="application/json")


def page(found: Page[T], shape: Callable[[T], Answer]) -> Response:
    """A page of a list: `data`, and the cursor `next` or null."""
    return answer({"data": [shape(item) for item in found.items], "next": found.next})
