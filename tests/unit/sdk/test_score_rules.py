"""What a score may be: rules, their order and their texts."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import AssayError
from assay.model.score_rules import check_score, check_value


def _refusal(**options: object) -> AssayError:
    with pytest.raises(AssayError) as caught:
        check_score({"name": "quality", "value": 1, **options})
    assert not caught.value.is_retriable
    return caught.value


@pytest.mark.parametrize("options", [None, [], "x", 1])
def test_options_must_be_an_object(options: object) -> None:
    """Rule 1 comes before all others."""
    with pytest.raises(AssayError, match="score options must be an object") as caught:
        check_score(options)
    assert caught.value.code == "score_options"


@pytest.mark.parametrize("field", ["run_id", "step_id"])
@pytest.mark.parametrize("value", [None, "", "  ", 1])
def test_ids_that_are_there_are_not_blank(field: str, value: object) -> None:
    """Rule 2, also for null, and before the name is looked at."""
    error = _refusal(**{field: value, "name": ""})
    assert (error.code, error.field) == ("score_target", field)
    assert error.message == f"{field} must be a non-empty string"


@pytest.mark.parametrize("value", ["a\0", "\ud800", "x" * 513], ids=ascii)
def test_no_step_has_an_id_that_no_table_holds(value: str) -> None:
    """Null characters, half a character, and more than an index takes."""
    error = _refusal(step_id=value)
    assert (error.code, error.field) == ("score_target", "step_id")


@pytest.mark.parametrize("name", [None, "", "   ", 3])
def test_a_name_is_not_blank(name: object) -> None:
    """Rule 3, before the value is looked at."""
    error = _refusal(name=name, value="x")
    assert (error.code, error.message) == ("score_name", "score name must be a non-empty string")


@pytest.mark.parametrize("name", ["it's", "a\tb", "a\x00", "\x7f", "a\ud800"])
def test_a_name_has_no_controls_or_quotes(name: str) -> None:
    """Rule 4."""
    error = _refusal(name=name)
    assert error.message == "score name must not contain control characters or single quotes"


def test_what_runs_say_of_themselves_is_no_score() -> None:
    """Nobody can give what the analysis reads as a run's duration."""
    error = _refusal(name="run.duration")
    assert (error.code, error.field) == ("score_name", "name")
    assert error.message == "score name must not begin with 'run.' (got 'run.duration')"
    assert check_score({"name": "runs", "value": 1}).name == "runs"


def test_a_name_has_128_bytes_at_most() -> None:
    """Rule 5 counts bytes of UTF-8, not characters."""
    assert check_score({"name": "é" * 64, "value": 1}).name == "é" * 64
    error = _refusal(name="é" * 64 + "a")
    assert error.message == "score name must be 128 bytes or fewer in UTF-8 (got 129)"


def test_a_name_is_kept_as_it_is() -> None:
    """Blanks around a name stay."""
    assert check_score({"name": " a ", "value": 1}).name == " a "


@pytest.mark.parametrize(
    "value", ["1", math.nan, math.inf, -math.inf, None, {}, [1], 1j, 10**400, Decimal("0.5")]
)
def test_values_that_are_no_finite_number_are_refused(value: object) -> None:
    """Rule 6."""
    error = _refusal(value=value)
    assert error.code == "score_value"
    assert error.message == "score value must be a finite number or boolean"


def test_a_decimal_is_refused_with_the_way_out() -> None:
    """Its rounding to a double is the caller's to choose."""
    assert _refusal(value=Decimal("0.1")).hint == "write float(value)"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (True, True),
        (False, False),
        (0, 0),
        (0.42, 0.42),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
    ],
)
def test_scalars_become_pythons(value: object, kept: object) -> None:
    """A boolean stays a boolean; what numpy gives counts as what it holds."""
    found = check_value(value)
    assert found == kept
    assert type(found) is type(kept)


def test_an_array_of_one_is_no_scalar() -> None:
    """Only what has no dimensions counts."""
    assert _refusal(value=np.array([1.0])).code == "score_value"


@pytest.mark.parametrize("index", [-1, True, 1.0, "0"])
def test_an_index_counts_from_0(index: object) -> None:
    """And is a whole number."""
    assert _refusal(step_id="a", index=index).field == "index"


def test_an_index_needs_a_step() -> None:
    """It counts the uses of a step id."""
    assert _refusal(index=1).code == "score_target"
    assert check_score({"name": "a", "value": 1, "step_id": "s", "index": 1}).index == 1


def test_at_needs_a_zone() -> None:
    """And is kept in UTC."""
    assert _refusal(at=datetime(2026, 1, 1)).field == "at"  # noqa: DTZ001 - that is the point
    at = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert check_score({"name": "a", "value": 1, "at": at}).at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_rationale_never_costs_its_score() -> None:
    """What no table can hold becomes U+FFFD."""
    score = check_score({"name": "a", "value": 1, "rationale": "x\0\ud800y", "author": "é"})
    assert (score.rationale, score.author) == ("x\ufffd\ufffdy", "é")
    assert _refusal(rationale=3).code == "score_detail"
    assert _refusal(author="a" * 600).field == "author"


@given(
    st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
)
def test_numbers_are_kept_exactly(value: float) -> None:
    """Every finite one, of its own type."""
    kept = check_value(value)
    assert kept == value
    assert type(kept) is type(value)
