"""Whether an event's data fits the JSON Schema of an `EventType`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

import jsonschema_rs

if TYPE_CHECKING:
    from assay.model.events import Json


@lru_cache(maxsize=1024)
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(schema))


def fits(schema: str, data: Json) -> str | None:
    """None where the data fits; else what is wrong, with the path.

    Args:
        schema: JSON text of a JSON Schema.
        data: of an event.
    """
    for error in _validator(schema).iter_errors(data):
        path = ".".join(str(part) for part in error.instance_path)
        return f"data.{path}: {error.message}" if path else f"data: {error.message}"
    return None
