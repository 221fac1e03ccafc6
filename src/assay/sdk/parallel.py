"""`ctx.parallel`: several things at once, all awaited, the first error in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, overload

from assay.errors import Parked
from assay.sdk.asks import Ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from assay.sdk.port import Journal

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")
I = TypeVar("I")  # noqa: E741 - the ninth letter


class AsyncParallel:
    """Gives async contexts their `parallel`."""

    @overload
    def parallel(self, a: Awaitable[A], /) -> Coroutine[object, object, tuple[A]]: ...
    @overload
    def parallel(
        self, a: Awaitable[A], b: Awaitable[B], /
    ) -> Coroutine[object, object, tuple[A, B]]: ...
    @overload
    def parallel(
        self, a: Awaitable[A], b: Awaitable[B], c: Awaitable[C], /
    ) -> Coroutine[object, object, tuple[A, B, C]]: ...
    @overload
    def parallel(
        self, a: Awaitable[A], b: Awaitable[B], c: Awaitable[C], e: Awaitable[E], /
    ) -> Coroutine[object, object, tuple[A, B, C, E]]: ...
    @overload
    def parallel(
        self,
        a: Awaitable[A],
        b: Awaitable[B],
        c: Awaitable[C],
        e: Awaitable[E],
        f: Awaitable[F],
        /,
    ) -> Coroutine[object, object, tuple[A, B, C, E, F]]: ...
    @overload
    def parallel(
        self,
        a: Awaitable[A],
        b: Awaitable[B],
        c: Awaitable[C],
        e: Awaitable[E],
        f: Awaitable[F],
        g: Awaitable[G],
        /,
    ) -> Coroutine[object, object, tuple[A, B, C, E, F, G]]: ...
    @overload
    def parallel(
        self,
        a: Awaitable[A],
        b: Awaitable[B],
        c: Awaitable[C],
        e: Awaitable[E],
        f: Awaitable[F],
        g: Awaitable[G],
        h: Awaitable[H],
        /,
    ) -> Coroutine[object, object, tuple[A, B, C, E, F, G, H]]: ...
    @overload
    def parallel(
        self,
        a: Awaitable[A],
        b: Awaitable[B],
        c: Awaitable[C],
        e: Awaitable[E],
        f: Awaitable[F],
        g: Awaitable[G],
        h: Awaitable[H],
        i: Awaitable[I],
        /,
    ) -> Coroutine[object, object, tuple[A, B, C, E, F, G, H, I]]: ...
    @overload
    def parallel(self, *all_: Awaitable[A]) -> Coroutine[object, object, tuple[A, ...]]: ...
    def parallel(self, *all_: Awaitable[Any]) -> Coroutine[object, object, tuple[Any, ...]]:
        """Await all, begun in order; raise the first error in that order once all have ended."""
        return Ask(lambda: _gather(all_))


async def _gather(all_: tuple[Awaitable[Any], ...]) -> tuple[Any, ...]:
    results = await asyncio.gather(*all_, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    # A run that is being unwound must not see a branch's error as its own.
    for error in sorted(errors, key=lambda error: not isinstance(error, Parked)):
        raise error
    return tuple(results)


class SyncParallel:
    """Gives sync contexts their `parallel`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @overload
    def parallel(self, a: Callable[[], A], /) -> tuple[A]: ...
    @overload
    def parallel(self, a: Callable[[], A], b: Callable[[], B], /) -> tuple[A, B]: ...
    @overload
    def parallel(
        self, a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], /
    ) -> tuple[A, B, C]: ...
    @overload
    def parallel(
        self, a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], e: Callable[[], E], /
    ) -> tuple[A, B, C, E]: ...
    @overload
    def parallel(
        self,
        a: Callable[[], A],
        b: Callable[[], B],
        c: Callable[[], C],
        e: Callable[[], E],
        f: Callable[[], F],
        /,
    ) -> tuple[A, B, C, E, F]: ...
    @overload
    def parallel(
        self,
        a: Callable[[], A],
        b: Callable[[], B],
        c: Callable[[], C],
        e: Callable[[], E],
        f: Callable[[], F],
        g: Callable[[], G],
        /,
    ) -> tuple[A, B, C, E, F, G]: ...
    @overload
    def parallel(
        self,
        a: Callable[[], A],
        b: Callable[[], B],
        c: Callable[[], C],
        e: Callable[[], E],
        f: Callable[[], F],
        g: Callable[[], G],
        h: Callable[[], H],
        /,
    ) -> tuple[A, B, C, E, F, G, H]: ...
    @overload
    def parallel(
        self,
        a: Callable[[], A],
        b: Callable[[], B],
        c: Callable[[], C],
        e: Callable[[], E],
        f: Callable[[], F],
        g: Callable[[], G],
        h: Callable[[], H],
        i: Callable[[], I],
        /,
    ) -> tuple[A, B, C, E, F, G, H, I]: ...
    @overload
    def parallel(self, *branches: Callable[[], A]) -> tuple[A, ...]: ...
    def parallel(self, *branches: Callable[[], Any]) -> tuple[Any, ...]:
        """Call all, each in a thread; raise the first error in order of the arguments."""
        return tuple(self._journal.parallel(branches))
