"""Sessions: validation, folding with tombstones, limits, intersection."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import AssayError
from assay.model.session_rules import check_layer, fold, shared

KEYS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1)
SOME_KEYS = st.sampled_from(["a", "b", "c", "d", "e", "f", "é", "z", "Z", "中"])
PAIRS = st.dictionaries(SOME_KEYS, st.sampled_from(["1", "2", "x"]), max_size=5)
LAYERS = st.dictionaries(
    SOME_KEYS, st.one_of(st.none(), st.sampled_from(["1", "9"]), st.integers(0, 9)), max_size=5
)


@pytest.mark.parametrize(
    ("author", "inherited", "folded"),
    [
        (None, {"a": "1"}, {"a": "1"}),
        ({}, {"a": "1"}, {"a": "1"}),
        ({"a": None}, {"a": "1", "b": "2"}, {"b": "2"}),
        ({"a": "9"}, {"a": "1", "b": "2"}, {"a": "9", "b": "2"}),
        ({"x": None}, {"a": "1"}, {"a": "1"}),
        ({"n": 5, "f": 1.5}, None, {"n": "5", "f": "1.5"}),
    ],
)
def test_layers_fold(author: object, inherited: dict[str, str], folded: dict[str, str]) -> None:
    """Absent keeps, an id sets, a tombstone drops and is used up."""
    assert fold(author, inherited) == folded


def test_all_can_be_dropped() -> None:
    """Keys of the author's own stay."""
    assert fold({"b": "2"}, {"a": "1"}, drops_all=True) == {"b": "2"}


def test_inherited_keys_fill_up_in_byte_order() -> None:
    """Keys of the author are never driven out."""
    inherited = {"é": "1", "b": "1", "a": "1", "Z": "1"}
    assert list(fold({"y": "1", "z": "1"}, inherited)) == ["y", "z", "Z", "a", "b"]


@pytest.mark.parametrize(
    "author",
    [
        [],
        "a=b",
        {1: "x"},
        {"a": True},
        {"a": []},
        {"a": {}},
        {"a": math.nan},
        {"a": ""},
        {"": "a"},
        {"a": "\0"},
        {"a": "\ud800"},
        {"k" * 129: "x"},
        {"é" * 64 + "a": "x"},
        {"a": "x" * 513},
        {str(n): "x" for n in range(6)},
    ],
)
def test_what_no_event_can_carry_is_refused(author: object) -> None:
    """With a code, never retried."""
    with pytest.raises(AssayError) as caught:
        check_layer(author)
    assert caught.value.code == "sessions_invalid"
    assert not caught.value.is_retriable


def test_the_limits_are_in_bytes() -> None:
    """128 for a key, 512 for an id."""
    assert fold({"é" * 64: "é" * 256}) == {"é" * 64: "é" * 256}


def test_tombstones_do_not_count() -> None:
    """Five pairs and any number of dropped keys are fine."""
    author = {str(n): "x" for n in range(5)} | {f"t{n}": None for n in range(9)}
    assert len(fold(author)) == 5


@given(LAYERS, PAIRS)
def test_folding_keeps_its_promises(
    author: dict[str, str | int | None], inherited: dict[str, str]
) -> None:
    """Author's keys all there, dropped keys gone, the rest inherited, five at most."""
    own = {key: value for key, value in author.items() if value is not None}

    folded = fold(author, inherited)

    assert {key: folded[key] for key in own} == {key: str(value) for key, value in own.items()}
    assert not {key for key, value in author.items() if value is None} & folded.keys()
    rest = folded.keys() - own.keys()
    assert all(folded[key] == inherited[key] for key in rest)
    left_out = inherited.keys() - author.keys() - rest
    assert not left_out or len(folded) == 5
    assert all(a.encode() < b.encode() for a in rest for b in left_out)


@given(PAIRS)
def test_folding_twice_changes_nothing(pairs: dict[str, str]) -> None:
    """What was folded inherits as it is."""
    assert fold(None, pairs) == pairs
    assert fold(pairs, pairs) == pairs


@given(st.lists(PAIRS, min_size=1, max_size=4))
def test_shared_pairs_are_in_every_event(events: list[dict[str, str]]) -> None:
    """On key and id, in byte order, whatever the order of the events."""
    found = shared(events)
    assert all(found.items() <= event.items() for event in events)
    assert list(found) == sorted(found, key=str.encode)
    assert found == shared(events[::-1])


def test_shared_is_cut_after_the_intersection() -> None:
    """The pairs that differ take no places."""
    many = {f"k{n}": "x" for n in range(7)}
    assert list(shared([many, many | {"k0": "y"}])) == ["k1", "k2", "k3", "k4", "k5"]
    assert shared([]) == {}


@given(st.dictionaries(KEYS, KEYS, min_size=1, max_size=3))
def test_any_text_of_fit_size_is_taken(pairs: dict[str, str]) -> None:
    """Whatever its script."""
    small = {key[:30]: value[:100] for key, value in pairs.items()}
    assert fold(small) == small
