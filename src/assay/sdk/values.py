"""How values of user code become exact JSON text and come back.

A type that JSON alone gives back exactly (str, int, bool, None, float, lists and dicts of them)
needs no pydantic; any other annotation is written and read by its schema. Without an annotation,
a value has to be one that JSON gives back equal and of the same type.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin
from weakref import WeakKeyDictionary

from assay.errors import AssayError
from assay.model import json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.sdk.schemas import Schema

_EXACT = (str, int, bool, float, None, type(None), Any, object, inspect.Parameter.empty)
_NEVER = (typing.NoReturn, typing.Never)
_NO_NUMBERS = frozenset({"nan", "inf", "-inf"})
_REMEDY = "annotate the return type with a pydantic model, dataclass or other type of its own"


class Codec:
    """Writes and reads the values of one annotation.

    Args:
        annotation: as resolved; `object` where there is none.
        flaw: why the annotation can't be used, where it can't.
        is_asked_for: whether the annotation must have a schema, since what comes has to fit it.

    Attributes:
        is_plain: whether JSON alone writes and reads the values.
    """

    __slots__ = ("_annotation", "_flaw", "_is_asked_for", "_schema", "is_plain")

    def __init__(
        self,
        annotation: object = object,
        *,
        flaw: str | None = None,
        is_asked_for: bool = False,
    ) -> None:
        self._annotation = annotation
        self._is_asked_for = is_asked_for
        self._flaw = flaw
        self._schema: Schema | None = None
        self.is_plain = flaw is not None or _is_exact(annotation)

    def dump(self, value: object, *, what: str, code: str) -> str:
        """Exact JSON text of a value.

        Args:
            value: that user code gave.
            what: gave it, such as `step 'answer'`, for the message.
            code: of the error where JSON can't hold it.
        """
        schema = None if self.is_plain else self.schema()
        try:
            return json_text.dump(value) if schema is None else schema.dump(value)
        except json_text.NotJsonError as error:
            wrong = f"gave what JSON does not give back as it was: {error}"
            hint = _REMEDY if self._flaw is None else f"its annotation is no help: {self._flaw}"
            if error.reason in _NO_NUMBERS:
                hint = "JSON has no such number: give None or text in its place"
        except ValueError as error:
            wrong = f"gave what does not fit its annotation {_name(self._annotation)}: {error}"
            hint = "return a value of the annotated type, or correct the annotation"
        raise AssayError(f"{what} {wrong}", code=code, hint=hint)

    def load(self, text: str) -> Any:
        """The value that was written.

        Raises:
            ValueError: it does not fit the annotation.
        """
        schema = None if self.is_plain else self.schema()
        return json_text.load(text) if schema is None else schema.load(text)

    def problem(self, text: str) -> str | None:
        """What is wrong with JSON text for this annotation; None where it fits."""
        try:
            self.load(text)
        except ValueError as error:
            return str(error)
        return None

    def check(self, value: object) -> str:
        """Exact JSON text of a value that a caller gave for this type: itself, or its parts.

        Raises:
            ValueError: it does not fit.
        """
        schema = self.schema()
        if schema is None:
            return json_text.dump(value)
        checked = schema.check(value)
        try:
            return json_text.dump(value)
        except json_text.NotJsonError:
            return schema.dump(checked)

    def json_schema(self) -> str | None:
        """JSON Schema of what fits, as text; None for types that need none."""
        schema = self.schema()
        return None if schema is None else schema.json_schema()

    def schema(self) -> Schema | None:
        """The pydantic schema, None for types that need none."""
        if self._schema is None and not self.is_plain:
            # Loading pydantic takes a third of the time that a light import may take.
            from assay.sdk.schemas import MisfitError, Schema  # noqa: PLC0415

            try:
                self._schema = Schema(self._annotation)
            except MisfitError as error:
                if self._is_asked_for:
                    raise AssayError(
                        f"{_name(self._annotation)} has no schema: {error}",
                        code="bad_schema",
                        hint="use a pydantic model, dataclass, TypedDict or plain JSON types",
                    ) from error
                self._flaw, self.is_plain = str(error), True
        return self._schema


_traits: WeakKeyDictionary[object, tuple[Codec, bool]] = WeakKeyDictionary()


def traits(fn: Callable[..., object]) -> tuple[Codec, bool]:
    """The codec of what a function gives, and whether calling it gives a coroutine.

    Kept by function, since replays ask for each step anew.
    """
    function = underlying(fn)
    try:
        found = _traits.get(function)
    except TypeError:
        return _codec_of_result(function), is_async(function)
    if found is None:
        found = _codec_of_result(function), is_async(function)
        _traits[function] = found
    return found


def codec_of_result(fn: Callable[..., object]) -> Codec:
    """The codec of what a function returns, or of what its awaitable gives."""
    return traits(fn)[0]


def underlying(fn: Callable[..., object]) -> Callable[..., object]:
    """The function that carries the annotations of a partial, a method or a callable object."""
    if isinstance(fn, types.FunctionType):
        return fn
    while isinstance(fn, functools.partial):
        fn = fn.func
    if isinstance(fn, types.MethodType):
        return fn.__func__
    if not inspect.isroutine(fn) and not isinstance(fn, type):
        call = type(fn).__call__
        return call if isinstance(call, types.FunctionType) else fn
    return fn


def is_async(fn: Callable[..., object]) -> bool:
    """Whether calling it gives a coroutine, as far as can be told without calling."""
    return inspect.iscoroutinefunction(underlying(fn))


def resolve(annotation: object, fn: object, local: dict[str, Any] | None = None) -> object:
    """The type that an annotation of *fn* stands for.

    Raises:
        NameError: it names what does not exist at run time.
    """
    names = dict(local or {})
    code = getattr(fn, "__code__", None)
    cells = getattr(fn, "__closure__", None)
    if code is not None and cells:
        names |= _closure(code.co_freevars, cells)
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    hints = typing.get_type_hints(
        holder, getattr(fn, "__globals__", {}), names, include_extras=True
    )
    return hints["it"]


def _closure(names: tuple[str, ...], cells: tuple[types.CellType, ...]) -> dict[str, Any]:
    found = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def _codec_of_result(function: Callable[..., object]) -> Codec:
    annotation = getattr(function, "__annotations__", {}).get("return", object)
    if isinstance(annotation, str):
        try:
            annotation = resolve(annotation, function)
        except Exception as error:  # noqa: BLE001 - evaluating what users wrote can raise anything
            return Codec(flaw=f"{annotation!r} could not be resolved at run time: {error}")
    if get_origin(annotation) in (Awaitable, Coroutine):
        annotation = get_args(annotation)[-1]
    return Codec(annotation)


def _is_exact(annotation: object) -> bool:
    if isinstance(annotation, typing.TypeVar):
        return True
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType, list):
        return all(map(_is_exact, parts))
    if origin is dict:
        return parts[0] is str and _is_exact(parts[1])
    return any(annotation is exact for exact in (*_EXACT, *_NEVER, list, dict))


def _name(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
