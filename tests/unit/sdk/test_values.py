"""Values become exact JSON text and come back as they were."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import subprocess
import sys
from collections.abc import Awaitable  # noqa: TC003 - an annotation is read at run time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import AssayError
from assay.model.json_text import NotJsonError, dump
from assay.sdk.values import Codec, codec_of_result, is_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class Answer(pydantic.BaseModel):
    """A model with an alias and a type that JSON has not."""

    text: str = pydantic.Field(alias="theText")
    at: datetime


@dataclasses.dataclass
class Point:
    """A dataclass of floats."""

    x: float
    tags: tuple[str, ...] = ()


def _types(value: object) -> object:
    if isinstance(value, list):
        return [_types(item) for item in value]
    if isinstance(value, dict):
        return [(key, _types(item)) for key, item in value.items()]
    return type(value), str(value)


def write(codec: Codec, value: object) -> str:
    """As a step does."""
    return codec.dump(value, what="step 'a'", code="step_output_not_json")


@given(JSON)
def test_json_is_given_back_exactly(value: object) -> None:
    """Equal, of the same types, keys in order; and the text fits UTF-8."""
    text = dump(value)
    assert text.encode()
    assert _types(json.loads(text)) == _types(value)


def test_null_characters_and_lone_surrogates_are_kept() -> None:
    """Models emit them."""
    for text in ("\0", "\ud800", "é\udfff", "\u2028"):
        assert json.loads(dump([text])) == [text]


def _circle() -> list[object]:
    circle: list[object] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ((1, 2), "a tuple at $"),
        ({"a": [1, {2}]}, "a set at $.a[1]"),
        ({1: "a"}, "the key 1, which is not a str, at $"),
        ({"a": math.nan}, "nan at $.a"),
        ([-math.inf], "-inf at $[0]"),
        (Point(1.0), "a Point at $"),
        (_circle(), "a value nested too deeply, or one that holds itself, at $"),
        (10**5000, "limit"),
    ],
    ids=["tuple", "set", "key", "nan", "inf", "dataclass", "circle", "long"],
)
def test_what_json_would_change_is_refused(value: object, where: str) -> None:
    """With the place where it stands."""
    with pytest.raises(NotJsonError) as caught:
        dump(value)
    assert where in str(caught.value)


def test_the_refusal_names_type_and_remedy() -> None:
    """And is not retried."""
    with pytest.raises(AssayError) as caught:
        write(Codec(), (1, 2))
    assert caught.value.code == "step_output_not_json"
    assert "a tuple" in caught.value.message
    assert "annotate" in str(caught.value.hint)
    assert not caught.value.is_retriable


def _plain() -> dict[str, object]: ...  # type: ignore[empty-body]
def _optional() -> list[str] | None: ...
def _model() -> Answer: ...  # type: ignore[empty-body]
async def _async_model() -> list[Answer]: ...  # type: ignore[empty-body]
def _awaitable() -> Awaitable[Point]: ...  # type: ignore[empty-body]
def _untyped(): ...  # type: ignore[no-untyped-def]
def _hidden() -> Decimal: ...  # type: ignore[empty-body]


class _Service:
    def answer(self) -> Answer: ...  # type: ignore[empty-body]
    async def __call__(self) -> Point: ...  # type: ignore[empty-body]


@pytest.mark.parametrize("fn", [_plain, _optional, _untyped, lambda: 1, print])
def test_plain_types_need_no_schema(fn: Callable[..., object]) -> None:
    """JSON alone gives them back."""
    assert codec_of_result(fn).is_plain


@pytest.mark.parametrize(
    ("fn", "value"),
    [
        (_model, Answer(theText="é", at=datetime(2026, 1, 1, tzinfo=UTC))),
        (_async_model, [Answer(theText="", at=datetime(2026, 1, 1, tzinfo=UTC))]),
        (_awaitable, Point(1.5, ("a", "b"))),
        (functools.partial(_model), Answer(theText="a", at=datetime(2026, 1, 1, tzinfo=UTC))),
        (_Service().answer, Answer(theText="a", at=datetime(2026, 1, 1, tzinfo=UTC))),
        (_Service(), Point(2.0)),
    ],
    ids=["model", "list", "awaitable", "partial", "method", "object"],
)
def test_annotated_values_come_back_as_their_type(fn: Any, value: object) -> None:
    """Written by alias, read into models, dataclasses, tuples."""
    codec = codec_of_result(fn)
    assert codec.load(write(codec, value)) == value


def test_local_types_are_found_where_a_closure_holds_them() -> None:
    """Annotations are text until they are needed."""

    @dataclasses.dataclass
    class Local:
        n: int

    def make() -> Local:
        return Local(1)

    codec = codec_of_result(make)
    assert codec.load(write(codec, make())) == Local(1)


def test_an_annotation_that_is_not_there_at_run_time_is_named() -> None:
    """JSON values pass all the same."""
    codec = codec_of_result(_hidden)
    assert write(codec, "1") == '"1"'
    with pytest.raises(AssayError, match="could not be resolved at run time"):
        write(codec, (1,))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(Answer, {"theText": "a"}), (Point, Point("\ud800")), (Point, Point(math.nan))],  # type: ignore[arg-type]
    ids=["dict", "type", "nan"],
)
def test_values_that_do_not_fit_fail_where_they_are_written(
    annotation: object, value: object
) -> None:
    """Never when they are read."""
    with pytest.raises(AssayError, match="does not fit its annotation"):
        write(Codec(annotation), value)


def test_types_without_a_schema_are_said_to_be_no_help() -> None:
    """A class that pydantic knows nothing of."""

    class Opaque:
        pass

    with pytest.raises(AssayError) as caught:
        write(Codec(Opaque), Opaque())
    assert "no help" in str(caught.value.hint)


def test_async_is_told_without_calling() -> None:
    """Through partials and callable objects too."""
    assert is_async(_async_model)
    assert is_async(functools.partial(_async_model))
    assert is_async(_Service())
    assert not is_async(_Service().answer)


LIGHT = """
import time
begun = time.process_time()
import assay
client = assay.Client("app")

@client.function("f", on="a/b")
async def f(ctx: assay.Context) -> dict[str, object]:
    return {}

used = time.process_time() - begun
import sys
heavy = {"fastapi", "numpy", "psycopg", "httpx2", "pydantic", "scipy", "uvicorn"}
print(used, *sorted(heavy & sys.modules.keys()))
"""


def test_importing_is_light() -> None:
    """A client and a function load nothing heavy, in under 0.35 s of CPU."""
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    used, *heavy = done.stdout.split()
    assert heavy == []
    assert float(used) < 0.35
