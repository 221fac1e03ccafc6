"""Work that several ask for at the same time."""

from __future__ import annotations

import asyncio

from assay.access.sharing import Shared


class Reading:
    """A value that is read at once and handed over later, when told to."""

    def __init__(self) -> None:
        self.value = 1
        self.times = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self) -> int:
        self.times += 1
        found = self.value
        self.begun.set()
        await self.go_on.wait()
        return found


def test_those_who_ask_before_it_begins_share_one() -> None:
    """One does it for all five."""

    async def story() -> None:
        shared, reading = Shared[int](), Reading()
        reading.go_on.set()
        assert await asyncio.gather(*(shared.ask("a", reading) for _ in range(5))) == [1] * 5
        assert reading.times == 1

    asyncio.run(story())


def test_nothing_is_kept_for_who_asks_later() -> None:
    """An answer is no memory."""

    async def story() -> None:
        shared, reading = Shared[int](), Reading()
        reading.go_on.set()
        await shared.ask("a", reading)
        reading.value = 2
        assert await shared.ask("a", reading) == 2

    asyncio.run(story())


def test_who_asks_while_it_is_done_is_given_what_is_read_afterwards() -> None:
    """They may have written what was read too early; they share the next."""

    async def story() -> None:
        shared, reading = Shared[int](), Reading()
        first = asyncio.create_task(shared.ask("a", reading))
        await reading.begun.wait()
        reading.value = 2
        later = [asyncio.create_task(shared.ask("a", reading)) for _ in range(3)]
        await asyncio.sleep(0)
        reading.go_on.set()
        assert await asyncio.gather(first, *later) == [1, 2, 2, 2]
        assert reading.times == 2

    asyncio.run(story())


def test_other_things_are_done_at_the_same_time() -> None:
    """Only who asks for the same waits."""

    async def story() -> None:
        shared, reading, other = Shared[int](), Reading(), Reading()
        first = asyncio.create_task(shared.ask("a", reading))
        await reading.begun.wait()
        other.go_on.set()
        assert await shared.ask("b", other) == 1
        reading.go_on.set()
        await first

    asyncio.run(story())


def test_who_leaves_does_not_take_it_from_who_stays() -> None:
    """Even the one who began it."""

    async def story() -> None:
        shared, reading = Shared[int](), Reading()
        leaves, stays = (asyncio.create_task(shared.ask("a", reading)) for _ in range(2))
        await reading.begun.wait()
        leaves.cancel()
        reading.go_on.set()
        assert await stays == 1
        assert leaves.cancelled()

    asyncio.run(story())


def test_a_failure_is_told_to_all_and_kept_for_nobody() -> None:
    """The next who asks has it done anew."""

    async def story() -> None:
        shared, reading = Shared[int](), Reading()
        reading.go_on.set()

        async def fail() -> int:
            raise ValueError

        for found in await asyncio.gather(
            *(shared.ask("a", fail) for _ in range(2)), return_exceptions=True
        ):
            assert isinstance(found, ValueError)
        assert await shared.ask("a", reading) == 1

    asyncio.run(story())
