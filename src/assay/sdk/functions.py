"""Durable functions and scorers: what a decorator makes of a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from assay.sdk.contexts import Context, ScorerContext, SyncContext, SyncScorerContext
    from assay.sdk.definitions import FunctionDefinition
    from assay.sdk.events import D
    from assay.sdk.scores import ScorerResult
    from assay.sdk.values import Codec
else:
    from assay.sdk.events import D

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Function(Generic[R_co, D]):
    """A durable function: R is what it returns, D the type of its event's data.

    Calling it calls the body as it is, which tests do.

    Attributes:
        definition: what the engine runs.
    """

    def __init__(
        self, body: Callable[..., Any], definition: FunctionDefinition, output: Codec
    ) -> None:
        self._body = body
        self._output = output
        self.definition = definition

    @overload
    def __call__(self, ctx: Context[D]) -> Coroutine[object, object, R_co]: ...
    @overload
    def __call__(self, ctx: SyncContext[D]) -> R_co: ...
    def __call__(self, ctx: Any) -> Any:
        """Call the body."""
        return self._body(ctx)

    def read_output(self, text: str) -> R_co:
        """The value that a run's output is the JSON text of; ValueError where it does not fit."""
        value: R_co = self._output.load(text)
        return value

    @override
    def __repr__(self) -> str:
        return f"Function({self.definition.id!r})"


class Scorer(Generic[D]):
    """A deferred function whose return value scores its parent: D is its payload.

    Attributes:
        definition: what the engine runs.
    """

    def __init__(self, body: Callable[..., Any], definition: FunctionDefinition) -> None:
        self._body = body
        self.definition = definition

    @overload
    def __call__(self, ctx: ScorerContext[D]) -> Coroutine[object, object, ScorerResult]: ...
    @overload
    def __call__(self, ctx: SyncScorerContext[D]) -> ScorerResult: ...
    def __call__(self, ctx: Any) -> Any:
        """Call the body."""
        return self._body(ctx)

    @override
    def __repr__(self) -> str:
        return f"Scorer({self.definition.id!r})"


class FunctionDecorator(Protocol):
    """Makes a body a function."""

    @overload
    def __call__(
        self, body: Callable[[Context[D]], Coroutine[Any, Any, R]], /
    ) -> Function[R, D]: ...
    @overload
    def __call__(self, body: Callable[[SyncContext[D]], R], /) -> Function[R, D]: ...


class ScorerDecorator(Protocol):
    """Makes a body a scorer; the body says what its payload is."""

    @overload
    def __call__(
        self, body: Callable[[ScorerContext[D]], Coroutine[Any, Any, ScorerResult]], /
    ) -> Scorer[D]: ...
    @overload
    def __call__(self, body: Callable[[SyncScorerContext[D]], ScorerResult], /) -> Scorer[D]: ...


class TypedScorerDecorator(Protocol[D]):
    """Makes a body a scorer of the payload that `schema=` says."""

    @overload
    def __call__(
        self, body: Callable[[ScorerContext[D]], Coroutine[Any, Any, ScorerResult]], /
    ) -> Scorer[D]: ...
    @overload
    def __call__(self, body: Callable[[SyncScorerContext[D]], ScorerResult], /) -> Scorer[D]: ...
