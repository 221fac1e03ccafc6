"""A page's query as the filter that the API made of it, for statements that ask the same.

The API was asked first and took the query: here it only gets its types, by the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from assay.store.runs import RunFilter

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask


class _Query(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Runs(_Query):
    function_id: str | None = None
    app_id: str | None = None
    status: str | None = None
    session_key: str | None = None
    session_id: str | None = None
    score: str | None = None
    score_min: float | None = None
    score_max: float | None = None
    score_is: bool | None = None
    experiment: str | None = None
    variant: str | None = None
    unit: str | None = None
    queued_after: AwareDatetime | None = None
    queued_before: AwareDatetime | None = None


def runs(ask: Ask) -> RunFilter:
    """Of the list of runs."""
    asked = _Runs.model_validate(ask.query).model_dump()
    return RunFilter(function=asked.pop("function_id"), app=asked.pop("app_id"), **asked)
