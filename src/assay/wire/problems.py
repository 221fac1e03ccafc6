"""Errors over HTTP: problem details of RFC 9457, with a code, a field and a hint."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from assay.errors import AssayError

MEDIA_TYPE = "application/problem+json"


class ErrorDetail(BaseModel):
    """The error as a program reads it."""

    model_config = ConfigDict(extra="ignore")

    code: str
    message: str


class Problem(BaseModel):
    """A refusal.

    Attributes:
        type: `about:blank`, or the address of the code's entry in the docs.
        title: the status in words.
        detail: what is wrong, as `error.message` says it.
        field: the field that is wrong, if one is.
        hint: how to mend it.
    """

    model_config = ConfigDict(extra="ignore")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    error: ErrorDetail
    field: str | None = None
    hint: str | None = None

    @classmethod
    def of(cls, error: AssayError, *, status: int, title: str) -> Problem:
        """The problem that an error makes under a status."""
        return cls(
            title=title,
            status=status,
            detail=error.message,
            error=ErrorDetail(code=error.code, message=error.message),
            field=error.field,
            hint=error.hint,
        )

    def to_error(self) -> AssayError:
        """The error as the client raises it."""
        return AssayError(
            self.error.message,
            code=self.error.code,
            field=self.field,
            hint=self.hint,
            is_retriable=self.status >= 500 or self.status == 429,  # noqa: PLR2004
        )
