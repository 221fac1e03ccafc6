"""A page's query as the filter that the API made of it, for statements that ask the same.

The API was asked first and took the query: here it only gets its types, by the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from assay.ids import parse
from assay.store.outcomes import OutcomeFilter
from assay.store.runs import Order, RunFilter

if TYPE_CHECKING:
    from assay.dashboard.asking import Ask


class _Query(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Runs(_Query):
    """Of the list of runs."""

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
    forced: bool | None = None
    without_unit: bool | None = None
    exposed_after: AwareDatetime | None = None
    exposed_before: AwareDatetime | None = None
    queued_after: AwareDatetime | None = None
    queued_before: AwareDatetime | None = None
    order: Order = "newest"


class Outcomes(_Query):
    """Of the list of outcomes."""

    run_id: str | None = None
    name: str | None = None
    state: str | None = None
    scorer: str | None = None
    app_id: str | None = None
    function_id: str | None = None
    session_key: str | None = None
    session_id: str | None = None
    queued_after: AwareDatetime | None = None
    queued_before: AwareDatetime | None = None
    promised_after: AwareDatetime | None = None
    promised_before: AwareDatetime | None = None
    overdue: bool = False


class Events(_Query):
    """Of the list of events; instants of receipt."""

    name: str | None = None
    received_after: AwareDatetime | None = None
    received_before: AwareDatetime | None = None


class Units(_Query):
    """Of the list of an experiment's units."""

    variant: str | None = None
    epoch: int | None = None
    exposed_before: AwareDatetime | None = None
    metric: str | None = None
    having: str | None = None


def runs(ask: Ask) -> RunFilter:
    """Of the list of runs."""
    asked = Runs.model_validate(ask.query).model_dump(exclude={"order"})
    return RunFilter(function=asked.pop("function_id"), app=asked.pop("app_id"), **asked)


def outcomes(ask: Ask) -> OutcomeFilter:
    """Of the list of outcomes."""
    asked = Outcomes.model_validate(ask.query)
    session = asked.session_id
    return OutcomeFilter(
        run=None if asked.run_id is None else parse(asked.run_id),
        name=asked.name,
        state=asked.state,
        scorer=asked.scorer,
        app=asked.app_id,
        function=asked.function_id,
        session=None if session is None else (asked.session_key or "", session),
        since=asked.queued_after,
        until=asked.queued_before,
        promised_since=asked.promised_after,
        promised_until=asked.promised_before,
        overdue=ask.now if asked.overdue else None,
    )


def events(ask: Ask) -> Events:
    """Of the list of events."""
    return Events.model_validate(ask.query)


def units(ask: Ask) -> Units:
    """Of the list of an experiment's units."""
    return Units.model_validate(ask.query)
