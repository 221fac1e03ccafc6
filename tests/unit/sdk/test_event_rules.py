"""What events may be called and carry."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from assay.model import event_rules
from unit.sdk.fake_journal import code_of


@pytest.mark.parametrize("name", ["", " ", None, 3, "assay/x", "Assay/Run", "a\0", "é" * 257])
def test_names_that_are_refused(name: object) -> None:
    """Blank, too long, or Assay's own."""
    assert code_of(lambda: event_rules.check_name(name)) == "event_name"


def test_names_that_are_taken() -> None:
    """Up to 512 bytes."""
    for name in ("support/ticket.created", "é" * 256, "assays/x"):
        assert event_rules.check_name(name) == name


@pytest.mark.parametrize("data", [None, [], "x", 1, {"a": (1,)}, {"a": float("nan")}, {1: 2}])
def test_data_is_an_object_of_json(data: object) -> None:
    """Nothing is turned into something else on the way."""
    assert code_of(lambda: event_rules.check_data(data)) == "event_data"


def test_data_is_kept_exactly() -> None:
    """Null characters, lone surrogates and the order of keys."""
    data = {"z": "\0\ud800é", "a": [1, 1.5, True, None]}
    text = event_rules.check_data(data)
    assert json.loads(text) == data
    assert list(json.loads(text)) == ["z", "a"]
    assert text.encode()


def test_data_has_a_size() -> None:
    """Counted in bytes of its text."""
    assert code_of(lambda: event_rules.check_data({"a": "é"}, max_bytes=9)) == "event_too_large"
    assert event_rules.check_data({"a": "é"}, max_bytes=10) == '{"a":"é"}'


@pytest.mark.parametrize(
    "ts",
    [
        "2026-01-01",
        datetime(2026, 1, 1),  # noqa: DTZ001 - that is the point
        datetime(1979, 12, 31, tzinfo=UTC),
        datetime(2100, 1, 1, tzinfo=UTC),
    ],
)
def test_instants_lie_between_1980_and_2100(ts: object) -> None:
    """And know their zone."""
    assert code_of(lambda: event_rules.check_ts(ts)) == "event_ts"


@pytest.mark.parametrize("key", ["", None, "k" * 513, "\0"])
def test_keys_have_1_to_512_bytes(key: object) -> None:
    """They go into a table's key."""
    assert code_of(lambda: event_rules.check_key(key)) == "event_key"
