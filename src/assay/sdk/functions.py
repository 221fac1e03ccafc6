"""Durable functions and scorers: what a decorator makes of a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from assay.sdk.definitions import Deferrable, Invocable, R_co
from assay.sdk.events import D

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from assay.sdk.contexts import Context, ScorerContext, SyncContext, SyncScorerContext
    from assay.sdk.scores import ScorerResult

R = TypeVar("R")


class Function(Invocable[R_co, D]):
    """A durable function: R is what it returns, D the type of its event's data.

    Calling it calls the body as it is, which tests do.
    """

    @overload
    def __call__(self, ctx: Context[D]) -> Coroutine[object, object, R_co]: ...
    @overload
    def __call__(self, ctx: SyncContext[D]) -> R_co: ...
    def __call__(self, ctx: Any) -> Any:
        """Call the body."""
        return self._body(ctx)


class Scorer(Deferrable[D]):
    """A deferred function whose return value scores its parent: D is its payload."""

    @overload
    def __call__(self, ctx: ScorerContext[D]) -> Coroutine[object, object, ScorerResult]: ...
    @overload
    def __call__(self, ctx: SyncScorerContext[D]) -> ScorerResult: ...
    def __call__(self, ctx: Any) -> Any:
        """Call the body."""
        return self._body(ctx)


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
