"""Events that are made by an `EventType`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from typing_extensions import TypedDict

import assay
from assay.sdk.port import EventSend
from unit.sdk.fake_journal import FakeJournal, code_of, context, run


class Visit(TypedDict):
    """Data that JSON holds by its type alone."""

    at: datetime


VisitMade = assay.EventType("visit/made", Visit)


def test_an_event_type_writes_the_data_by_its_type() -> None:
    """What a plain event could not carry."""
    journal = FakeJournal()
    journal.answers["a"] = "[]"
    visit = VisitMade({"at": datetime(2026, 1, 31, tzinfo=UTC)})
    run(context(journal).step.send_event("a", visit))
    (asked,) = journal.asked
    assert isinstance(asked.request, EventSend)
    assert json.loads(asked.request.events[0].data) == {"at": "2026-01-31T00:00:00Z"}


def test_an_event_type_refuses_data_where_it_is_called() -> None:
    """Before anything is sent."""
    wrong: Any = {"at": "soon"}
    assert code_of(lambda: VisitMade(wrong)) == "event_data"
