"""Conditions: our own conformance table for CEL, and what is taken out of it for the index."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine import matching
from assay.engine.conditions import Condition, split
from assay.errors import AssayError

EVENT: dict[str, Any] = {
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "name": "support/ticket.created",
    "ts": 1_700_000_000_000,
    "sessions": {"ticket_id": "tk_1"},
    "data": {
        "ticketId": "tk_1",
        "n": 1,
        "f": 1.0,
        "half": 0.5,
        "neg": -3,
        "yes": True,
        "no": False,
        "nothing": None,
        "list": [1, "a", 2.0],
        "empty": [],
        "user": {"id": 7, "tags": ["x", "y"], "first name": "Ann"},
        "big": 2**70,
        "huge": 10**400,
        "nul": "a\0b",
        "lone": "\ud800",
    },
}
ASYNC: dict[str, Any] = {
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAW",
    "name": "support/feedback.received",
    "ts": 1_700_000_001_000,
    "sessions": {},
    "data": {
        "ticketId": "tk_1",
        "n": 1.0,
        "helpful": True,
        "user": {"tags": ["x", "y"], "id": 7.0, "first name": "Ann"},
        "quoted": 'it\'s "x" \\ || true',
        "accent": "é",
    },
}
BOTH = {"event": EVENT, "async": ASYNC}

TABLE = [
    # comparison
    ("event.data.n == 1", True),
    ("event.data.n == 2", False),
    ("event.data.n != 2", True),
    ("event.data.neg < 0", True),
    ("event.data.neg >= -3", True),
    ("event.data.half > 0", True),
    ("event.ts < async.ts", True),
    ("event.data.ticketId == async.data.ticketId", True),
    ("event.data.ticketId > 'tk_0'", True),
    ("event.name == 'support/ticket.created'", True),
    ("event.sessions.ticket_id == 'tk_1'", True),
    # numbers of two types
    ("event.data.f == 1", True),
    ("event.data.n == 1.0", True),
    ("event.data.n == 1u", True),
    ("event.data.n == async.data.n", True),
    ("event.data.n > 0.5", True),
    ("event.data.user == async.data.user", True),
    ("event.data.big > 5", True),
    ("event.data.huge > 5", True),
    ("event.data.f + 1 == 2", False),
    ("event.data.f + 1.0 == 2.0", True),
    ("double(event.data.n) + 0.5 == 1.5", True),
    # one type is not another
    ("event.data.n == '1'", False),
    ("event.data.n != '1'", True),
    ("event.data.yes == 1", False),
    ("event.data.no == 0", False),
    ("event.data.n > '0'", False),
    ("event.data.nothing == false", False),
    ("event.data.ticketId == null", False),
    ("event.data.nothing > 1", False),
    # and, or, not
    ("event.data.yes && event.data.n == 1", True),
    ("event.data.yes && event.data.no", False),
    ("event.data.no || event.data.n == 1", True),
    ("!event.data.no", True),
    ("!(event.data.n == 2)", True),
    ("event.data.n", False),
    ("event.data.n && event.data.yes", False),
    ("event.data.n == 1 ? event.data.yes : false", True),
    ("true", True),
    # null is a value; a missing key is not null and matches nothing
    ("event.data.nothing == null", True),
    ("event.data.gone == null", False),
    ("event.data.gone != null", False),
    ("event.data.gone == 1", False),
    ("!(event.data.gone == 1)", False),
    ("event.data.user.gone.deeper == 1", False),
    ("event.data.n.deeper == 1", False),
    ("event.gone == 1", False),
    ("event.data.gone == 1 || event.data.n == 1", True),
    ("event.data.n == 1 || event.data.gone == 1", True),
    ("event.data.gone == 1 && event.data.n == 1", False),
    ("event.data.gone == async.data.gone", False),
    # nested paths, lists, `in`
    ("event.data.user.id == 7", True),
    ("event.data['user']['first name'] == 'Ann'", True),
    ("event.data.list[0] == 1", True),
    ("event.data.list[9] == 1", False),
    ("event.data.list == [1.0, 'a', 2]", True),
    ("1 in event.data.list", True),
    ("2 in event.data.list", True),
    ("'b' in event.data.list", False),
    ("'x' in async.data.user.tags", True),
    ("'user' in event.data", True),
    ("'gone' in event.data", False),
    ("event.data.ticketId in ['tk_0', 'tk_1']", True),
    ("size(event.data.list) == 3", True),
    # text
    ("event.data.ticketId.startsWith('tk_')", True),
    ("event.data.ticketId.endsWith('_1')", True),
    ("event.data.ticketId.contains('k_')", True),
    ("event.data.ticketId.size() == 4", True),
    ("event.data.ticketId.matches('^tk_[0-9]+$')", True),
    ("event.data.ticketId.matches('(')", False),
    ("event.data.n.startsWith('t')", False),
    ("event.data.ticketId + 'x' == 'tk_1x'", True),
    ("string(event.data.n) == '1'", True),
    ("int('1') == event.data.n", True),
    ("async.data.accent == 'é'", True),
    (r"""async.data.quoted == "it's \"x\" \\ || true" """, True),
    (r"""async.data.quoted == 'it\'s "x" \\ || true'""", True),
    (r"async.data.quoted.contains(r'\ ||')", True),
    ("event.data.nul == 'a'", False),
    ("event.data.nul == 'a\ufffdb'", True),
    ("event.data.lone == '\ufffd'", True),
    # macros
    ("has(event.data.n)", True),
    ("has(event.data.gone)", False),
    ("!has(event.data.gone)", True),
    ("has(event.data.gone.deeper)", False),
    ("has(event.data.nothing)", True),
    ("event.data.list.exists(i, i == 'a')", True),
    ("event.data.list.all(i, i > 0)", False),
    ("event.data.empty.all(i, i > 0)", True),
    ("event.data.list.exists_one(i, i == 1)", True),
    ("event.data.list.filter(i, i == 1).size() == 1", True),
    ("event.data.user.tags.map(t, t + '!') == ['x!', 'y!']", True),
    ("timestamp(0) < timestamp('2026-01-01T00:00:00Z')", True),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_conformance(text: str, *, expected: bool) -> None:
    """What each form means, whatever the library behind it."""
    assert expected is Condition.compile(text).holds(BOTH)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1, column 1"),
        ("event.data.n =", "line 1, column"),
        ("event.data.n == 1 &&", "line 1, column 21"),
        ("event.data.n == 1 &&\n foo == 2", "line 2, column 2"),
        ("event.data.ticketId == 'it's'", "line 1, column"),
        ("event.data.n == 9223372036854775808", "invalid int literal"),
        ("1 == '1'", "no matching overload"),
        ("event.data.n + 1", "gives int, not true or false"),
        ("'text'", "gives string, not true or false"),
        ("(" * 200 + "true" + ")" * 200, "recursion limit"),
        ("true" + " " * 200_000, "codepoint limit"),
        ("event.data.s == '\ud800'", "the condition is not valid"),
    ],
)
def test_an_invalid_condition_says_where(text: str, where: str) -> None:
    """It can't get better by another attempt."""
    with pytest.raises(AssayError, match="the condition is not valid") as refused:
        Condition.compile(text)

    assert where in refused.value.message
    assert (refused.value.code, refused.value.is_retriable) == ("bad_condition", False)


def test_a_condition_may_be_limited_to_some_variables() -> None:
    """A trigger's condition has no arriving event to name."""
    with pytest.raises(AssayError, match="undeclared reference to 'async"):
        Condition.compile("async.data.n == 1", variables=("event",))

    assert Condition.compile("event.data.n == 1", variables=("event",)).holds({"event": EVENT})


def test_a_missing_variable_is_no_match() -> None:
    """It reads like a missing key."""
    assert not Condition.compile("async.data.n == 1").holds({"event": EVENT})


def test_iterations_are_bounded() -> None:
    """Data from outside can't make a macro run for long."""
    many: dict[str, Any] = {"event": {"data": {"l": list(range(2_000))}}}

    assert not Condition.compile("event.data.l.all(i, event.data.l.all(j, i + j >= 0))").holds(many)


def test_deep_data_is_no_match_and_no_crash() -> None:
    """The runtime's own stack would overflow at some tens of thousands of levels."""
    deep: Any = 1
    for _ in range(100_000):
        deep = {"d": deep}

    assert Condition.compile("event.data.n == 1").holds({"event": {"data": {"n": 1, "d": deep}}})
    assert not Condition.compile("event.data.d.d == 1").holds({"event": {"data": {"d": deep}}})


def test_a_condition_is_compiled_once() -> None:
    """The same text gives the same object."""
    assert Condition.compile("event.data.n == 42") is Condition.compile("event.data.n == 42")
    assert Condition.compile("event.data.n == 42").text == "event.data.n == 42"


def test_the_library_is_loaded_only_when_a_condition_is_compiled() -> None:
    """It maps 14 MB."""
    code = "import sys, assay.engine.conditions; sys.exit('cel_expr_python' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "match", "rest"),
    [
        ("async.data.x == 1", {"x": 1}, None),
        ("1==async.data.x", {"x": 1}, None),
        (" async.data.x == -1.5e3 ", {"x": -1500.0}, None),
        ("async.data.x == 'a && b'", {"x": "a && b"}, None),
        ('async.data.x == "https://x/?q=(1)"', {"x": "https://x/?q=(1)"}, None),
        ("async.data.x == null", {"x": None}, None),
        ("true == async.data.a.b", {"a.b": True}, None),
        ("async.data['a.b'].c == false", {r"a\.b.c": False}, None),
        ("async.data.t == event.data.ticketId", {"t": "tk_1"}, None),
        ("event.data.user['first name'] == async.data.t", {"t": "Ann"}, None),
        ("async.data.t == event.data.nothing", {"t": None}, None),
        ("async.data.t == event.data.list", {"t": [1, "a", 2.0]}, None),
        ("async.data.x == 1 && async.data.y == 2", {"x": 1, "y": 2}, None),
        ("async.data.x == 1 && async.data.y > 2", {"x": 1}, "async.data.y > 2"),
        (
            "async.data.y > 2 && async.data.x == 1 && (async.data.z || event.data.yes)",
            {"x": 1},
            "async.data.y > 2 && (async.data.z || event.data.yes)",
        ),
        (
            "async.data.l.exists(i, i == 1 && true) && async.data.x == 1",
            {"x": 1},
            "async.data.l.exists(i, i == 1 && true)",
        ),
        ("async.data.x == 1 && async.data.x == 2", {"x": 1}, "async.data.x == 2"),
    ],
)
def test_equalities_become_matches(text: str, match: dict[str, Any], rest: str | None) -> None:
    """Either way round, by value, the rest unchanged."""
    Condition.compile(text)

    assert (match, rest) == split(text, EVENT)


@pytest.mark.parametrize(
    "text",
    [
        "async.data.x == 1 || async.data.y == 2",
        "async.data.x == 1 && async.data.y == 2 || true",
        "async.data.x == 1 && async.data.y == 2 ? true : false",
        "(async.data.x == 1 && async.data.y == 2)",
        "!(async.data.x == 1)",
        "async.data.x != 1",
        "async.name == 'n'",
        "event.data.n == 1",
        "async.data.x == event.data.gone",
        "async.data.x == event.name",
        "async.data.x == async.data.y",
        "async.data.x[0] == 1",
        "async.data.x == 1u",
        "async.data.x == 0x10",
        "async.data.x == 1e999",
        "async.data.x == 1 + 1",
        "async.data.x == [1]",
        "async.data.x == 1 == true",
        r"async.data.x == 'a\'b'",
        r"async.data.x == r'a\b' && async.data.y == 1",
        "async.data.x == '''a' && 'b'''",
        "async.data.x == b'a'",
        "async.data.x == 1 // && async.data.y == 2",
        "async.data.`x` == 1 && async.data.y == 1",
    ],
)
def test_everything_else_is_evaluated(text: str) -> None:
    """The split is conservative: what isn't plainly an equality stays whole."""
    Condition.compile(text)

    assert ({}, text) == split(text, EVENT)


LITERALS = st.sampled_from(["1", "1.0", "2", "'1'", "'a'", "true", "null", "event.data.n"])
OTHERS = st.sampled_from(
    [
        "async.data.y > 1",
        "has(async.data.y)",
        "(async.data.x == 1 && true)",
        "async.data.x == 1 || async.data.y == 2",
        "async.data.y != 'a && b || c'",
        "[1, 2].exists(i, i == async.data.x && true)",
        "async.data.x == 1 ? true : async.data.y == 2",
    ]
)
CONJUNCTS = OTHERS | st.builds("async.data.{} == {}".format, st.sampled_from("xy"), LITERALS)
ARRIVING = st.dictionaries(
    st.sampled_from("xy"), st.sampled_from([1, 1.0, 2, "1", "a", True, None])
)


@given(st.lists(CONJUNCTS, min_size=1, max_size=4), ARRIVING)
def test_match_and_rest_together_are_the_condition(parts: list[str], data: dict[str, Any]) -> None:
    """Taking equalities out changes no answer."""
    text = " && ".join(parts)
    variables = {"event": EVENT, "async": {"data": data}}

    match, rest = split(text, EVENT)
    shape = matching.shape_of(match)
    asked = matching.value_hash("e", shape, [match[path] for path in shape])
    is_found = asked == matching.hash_event("e", data, shape)

    assert Condition.compile(text).holds(variables) == (
        is_found and (rest is None or Condition.compile(rest).holds(variables))
    )
