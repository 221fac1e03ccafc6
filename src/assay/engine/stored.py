"""Event data as `jsonb` holds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.engine.matching import storable_json

if TYPE_CHECKING:
    from assay.model.events import Json

REPLACED = "data: null characters and lone surrogates became U+FFFD"


def stored_data(text: str) -> tuple[Json, str | None]:
    """The data of an event from its JSON text, and a warning where not all of it can be held."""
    data = json.loads(text)
    if "\\u" not in text and text.isascii():
        return data, None
    clean = storable_json(data)
    return clean, None if clean == data else REPLACED
