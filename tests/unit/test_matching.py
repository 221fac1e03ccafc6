"""Matches by value and trigger patterns."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.engine import matching
from assay.errors import AssayError

NUMBERS = (
    st.integers()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1.0, 1e23, 10**23, 2**53 + 1, 2.0**53])
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.sampled_from(["1", "true", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text("ab/.*", min_size=1, max_size=8)


def as_json(value: Any) -> Any:
    """A value as JSON text says it: exact decimals, told apart from booleans and text."""

    def tagged(read: Any) -> Any:
        if isinstance(read, list):
            return [tagged(item) for item in read]
        if isinstance(read, dict):
            return {key: tagged(item) for key, item in read.items()}
        return (type(read).__name__, read)

    return tagged(json.loads(json.dumps(value), parse_int=Decimal, parse_float=Decimal))


def hashed(value: Any) -> int:
    """The hash of a match on one value."""
    return matching.value_hash("e", ["x"], [value])


@given(VALUES, VALUES)
@example(1, 1.0)
@example(1e23, 10**23)
@example(True, 1)
@example(0.0, -0.0)
@example({"a": 1, "b": 2}, {"b": 2.0, "a": 1e0})
def test_values_have_the_same_form_exactly_if_they_are_equal_as_json(one: Any, two: Any) -> None:
    """Equal as JSON, equal form and hash; unequal as JSON, unequal form and (64 bits) hash."""
    equal = as_json(one) == as_json(two)

    forms = [json.dumps(matching.canonical(value), sort_keys=True) for value in (one, two)]

    assert equal == (forms[0] == forms[1])
    assert equal == (hashed(one) == hashed(two))


@given(VALUES)
def test_a_value_keeps_its_hash_through_json(value: Any) -> None:
    """What was sent and what is read back wake the same waits."""
    assert hashed(value) == hashed(json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (1, 1.0, True),
        (100, 1e2, True),
        (1, "1", False),
        (1, True, False),
        (0, False, False),
        (None, "null", False),
        (None, False, False),
        (0, -0.0, True),
        (2**53, 2**53 + 1, False),
        (2**53 + 1, float(2**53), False),
        (10**30, 1e30, True),
        (0.1, 0.1 + 2e-17, False),
        (1e23, 10**23, True),
        ({"a": {"b": 1}}, {"a": {"b": 1.0}}, True),
        ([1, 2], [2, 1], False),
        ("", [], False),
        ("é", "e\u0301", False),
        ("a\0", "a\ufffd", True),
        ("\ud800", "\ufffd", True),
        ('it\'s "x" || true', 'it\'s "x" || true', True),
    ],
)
def test_values_compare_as_json(one: Any, two: Any, *, same: bool) -> None:
    """One row a rule; text that jsonb can't hold compares as jsonb holds it."""
    assert same == (hashed(one) == hashed(two))


def test_hashes_are_stable_signed_and_depend_on_everything() -> None:
    """These numbers stand in tables: they may never change."""
    seen = {
        matching.value_hash("a", ["x"], ["1"]),
        matching.value_hash("b", ["x"], ["1"]),
        matching.value_hash("a", ["y"], ["1"]),
        matching.value_hash("a", ["x"], ["2"]),
        matching.shape_id(["x"]),
        matching.shape_id(["x", "y"]),
    }

    assert len(seen) == 6
    assert all(-(2**63) <= number < 2**63 for number in seen)
    assert matching.value_hash("support/feedback", ["ticketId"], ["tk_1"]) == -8271406973526923053
    assert matching.shape_id(["ticketId", "user.id"]) == -1390658988774067469


def test_the_order_of_paths_does_not_matter() -> None:
    """A match is a set of pairs."""
    assert matching.value_hash("e", ["a", "b"], [1, 2]) == matching.value_hash(
        "e", ["b", "a"], [2, 1]
    )
    assert matching.shape_id(["b", "a", "a"]) == matching.shape_id(["a", "b"])
    assert matching.shape_of({"b": 1, "a": 2}) == ("a", "b")


def test_an_event_finds_the_wait_for_its_values() -> None:
    """The event's side computes the same number from its data."""
    data: Any = {"ticketId": "tk_1", "user": {"id": 7.0, "a.b": None}, "list": [1]}
    wanted: dict[str, Any] = {"ticketId": "tk_1", "user.id": 7, r"user.a\.b": None}

    shape = matching.shape_of(wanted)
    asked = matching.value_hash("e", shape, [wanted[path] for path in shape])

    assert asked == matching.hash_event("e", data, shape)
    assert asked != matching.hash_event("other", data, shape)


@pytest.mark.parametrize("path", ["nope", "user.nope", "ticketId.x", "list.0", "user.id.x", ""])
def test_a_missing_path_matches_nothing(path: str) -> None:
    """No hash at all, so not even a wait for null is found."""
    data: Any = {"ticketId": "tk_1", "user": {"id": 7}, "list": [1]}

    assert matching.hash_event("e", data, ["ticketId", path]) is None


@pytest.mark.parametrize("data", [None, [], "x", {"x": float("nan")}, {"x": float("inf")}])
def test_data_that_cannot_be_compared_matches_nothing(data: Any) -> None:
    """Arriving events never raise."""
    assert matching.hash_event("e", data, ["x"]) is None


def test_nesting_is_bounded() -> None:
    """A deep value is refused where it is asked for and ignored where it arrives."""
    deep: Any = 1
    for _ in range(matching.MAX_DEPTH + 1):
        deep = [deep]

    assert matching.hash_event("e", {"x": deep}, ["x"]) is None
    assert matching.hash_event("e", {"x": deep[0]}, ["x"]) is not None
    with pytest.raises(AssayError, match="nested more than 100") as refused:
        hashed(deep)
    assert refused.value.code == "bad_match"
    assert not matching.is_comparable(deep)


@pytest.mark.parametrize(
    "value", [float("nan"), (1,), {1}, b"x", Decimal(1), pytest.param(10**5000, id="long")]
)
def test_a_match_value_that_is_not_json_is_refused(value: Any) -> None:
    """Where the author can still mend it."""
    with pytest.raises(AssayError, match="a value of match is") as refused:
        hashed(value)

    assert (
        refused.value.code,
        refused.value.field,
        refused.value.is_retriable,
    ) == ("bad_match", "match", False)


@given(st.lists(st.text("a.\\", max_size=4), min_size=1, max_size=4))
def test_any_keys_have_a_path(keys: list[str]) -> None:
    """Dots, backslashes and empty keys included."""
    assert tuple(keys) == matching.keys_of(matching.path_of(keys))


@pytest.mark.parametrize("path", ["a\\", r"a\b", "\\"])
def test_a_stray_backslash_is_refused(path: str) -> None:
    """So that each list of keys has one path."""
    with pytest.raises(AssayError, match="is not a path") as refused:
        matching.shape_of({path: 1})

    assert refused.value.code == "bad_match"


def test_patterns_of_a_name() -> None:
    """The exact name, each prefix that ends in / or ., and the star."""
    assert matching.patterns_of("app/user.created") == (
        "app/user.created",
        "app/user.*",
        "app/*",
        "*",
    )


@given(NAMES, NAMES)
@example("app/*", "app/user.created")
@example("a/*", "a/")
def test_patterns_of_and_matches_agree(pattern: str, name: str) -> None:
    """What the index looks up is what the rule says, and nothing is looked up twice."""
    patterns = matching.patterns_of(name)

    assert matching.matches(pattern, name) == (pattern in patterns)
    assert len(patterns) == len(set(patterns))


@given(st.text("ab/.", min_size=1, max_size=8))
def test_every_pattern_of_a_name_is_a_valid_trigger(name: str) -> None:
    """Names without a star give no pattern that could not be written."""
    for pattern in matching.patterns_of(name):
        assert pattern == matching.check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["", " ", "a*", "*a", "a/*/b", "a/**", "**", "a*.b", "é" * 128])
def test_a_pattern_with_a_star_elsewhere_is_refused(pattern: str) -> None:
    """A star stands at the end, right after / or ., or alone."""
    with pytest.raises(AssayError, match="the trigger") as refused:
        matching.check_pattern(pattern)

    assert refused.value.code == "bad_trigger"
