"""pydantic behind a small door: loaded only where an annotation needs it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from assay.model import json_text

if TYPE_CHECKING:
    from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class MisfitError(ValueError):
    """A value or text that does not fit its type; the text says where and why."""


class Schema:
    """Writes, reads and describes values of one type.

    Args:
        annotation: any type that pydantic has a schema for.

    Raises:
        MisfitError: it has none.
    """

    def __init__(self, annotation: Any) -> None:
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        except Exception as error:
            # Besides its own errors pydantic passes on what evaluating annotations raises.
            raise MisfitError(str(error).partition("\n")[0]) from error

    def dump(self, value: object) -> str:
        """Exact JSON text, by alias, as `load` reads it."""
        try:
            # A value of another type is written by guessing, with a warning: not exact.
            plain = self._adapter.dump_python(value, mode="json", by_alias=True, warnings="error")
            text = json_text.dump(plain)
        except (PydanticSerializationError, json_text.NotJsonError, UnicodeError) as error:
            raise MisfitError(_one_line(str(error))) from error
        # What can be written but not read must fail where it is written, while it can be mended.
        self.load(text)
        return text

    def load(self, text: str) -> Any:
        """The value written as JSON text."""
        try:
            if _SURROGATE.search(text):
                # pydantic's parser refuses lone surrogates, which models do emit.
                return self._adapter.validate_python(json.loads(text))
            return self._adapter.validate_json(text)
        except ValidationError as error:
            raise MisfitError(_problems(error)) from error

    def check(self, value: object) -> Any:
        """The value of this type that a caller's value stands for."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise MisfitError(_problems(error)) from error

    def json_schema(self) -> str:
        """JSON Schema of what `load` reads, as text with sorted keys."""
        return json.dumps(self._adapter.json_schema(), sort_keys=True)


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        if problem["loc"]
        else problem["msg"]
        for problem in error.errors(include_url=False, include_context=False)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
