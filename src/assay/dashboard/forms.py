"""What a form sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MAX_BYTES = 1024 * 1024
MAX_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that were filled, as text."""

    fields: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """What a field holds, None where it is empty."""
        return self.fields.get(name) or None

    def need(self, name: str) -> str:
        """What a field holds; `form_invalid` where it is empty."""
        text = self.get(name)
        if text is None:
            raise AssayError(
                f"{name} is empty",
                code="form_invalid",
                field=name,
                hint="fill it in, and send again",
            )
        return text


async def read(request: Request) -> Form:
    """The fields of a request's body; `body_too_large`, `form_invalid`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise AssayError(
                f"a form may have {MAX_BYTES} bytes at most",
                code="body_too_large",
                hint="send more over the API",
            )
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise AssayError(
            "this is no form", code="form_invalid", hint="send it from the page again"
        ) from error
    # Browsers send the lines of a text with carriage returns that nobody typed.
    return Form({name: text.replace("\r\n", "\n").strip() for name, text in pairs})
