"""Dear work that several ask for at the same time, done once for all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


class Shared(Generic[T]):
    """Does each thing once at a time; who asks meanwhile waits for it to be done anew.

    Nobody is given what began before they asked, so that whoever has just written something reads
    it, and nothing is remembered. However many ask, one does it and all others wait together.
    """

    def __init__(self) -> None:
        self._begun: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    async def ask(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What *work* gives, done from now on.

        Args:
            key: of what is asked for: all who give the same would do the same.
            work: is done by one of them.
        """
        waiting = self._next.get(key)
        if waiting is None:
            waiting = asyncio.create_task(self._do(key, work))
            self._next[key] = waiting
        # Who leaves does not take it from those who stay.
        return await asyncio.shield(waiting)

    async def _do(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        if key in self._begun:
            await asyncio.wait([self._begun[key]])
        self._begun[key] = self._next.pop(key)
        try:
            return await work()
        finally:
            del self._begun[key]
