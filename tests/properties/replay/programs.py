"""Random programs: everything that asyncio lets a body do with what it asks for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from typing_extensions import override

from assay.errors import StepError
from properties.replay.harness import note, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a program: what it does with its parts."""

    kind: str
    parts: tuple[Node, ...] = ()
    name: str = ""

    @override
    def __repr__(self) -> str:
        return f"{self.kind}{self.name and ':' + self.name}{list(self.parts) or ''}"


async def play(node: Node, site: str) -> str:
    """Run a node; `site` is its place in the program."""
    note(f"{site} {node.kind}")
    try:
        result = await _KINDS[node.kind](node, site)
    except asyncio.CancelledError:
        note(f"{site} cancelled")
        raise
    except Exception as error:
        note(f"{site} raised {type(error).__name__}")
        raise
    note(f"{site} gave {result}")
    return result


def _tasks(node: Node, site: str) -> list[asyncio.Task[str]]:
    return [
        asyncio.create_task(play(part, f"{site}.{place}")) for place, part in enumerate(node.parts)
    ]


async def _step(node: Node, site: str) -> str:
    return await step(node.name, site)


async def _rest(_node: Node, site: str) -> str:
    for _ in range(len(site) % 3):
        await asyncio.sleep(0)
    return "rested"


async def _sequence(node: Node, site: str) -> str:
    return ",".join([await play(part, f"{site}.{n}") for n, part in enumerate(node.parts)])


async def _gather(node: Node, site: str) -> str:
    parts = [play(part, f"{site}.{place}") for place, part in enumerate(node.parts)]
    return ",".join(await asyncio.gather(*parts))


async def _gather_all(node: Node, site: str) -> str:
    parts = [play(part, f"{site}.{place}") for place, part in enumerate(node.parts)]
    results = await asyncio.gather(*parts, return_exceptions=True)
    return ",".join(type(each).__name__ for each in results)


async def _group(node: Node, site: str) -> str:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(play(part, f"{site}.{place}"))
            for place, part in enumerate(node.parts)
        ]
    return ",".join(task.result() for task in tasks)


async def _as_completed(node: Node, site: str) -> str:
    results = []
    for each in asyncio.as_completed(_tasks(node, site)):
        with suppress(StepError):
            results.append(await each)
            await step("a", f"{site}.after{len(results)}")
    return ",".join(results)


async def _first(node: Node, site: str) -> str:
    done, pending = await asyncio.wait(_tasks(node, site), return_when="FIRST_COMPLETED")
    names = []
    for place, task in enumerate(done):
        with suppress(BaseExceptionGroup, Exception):
            names.append(await task)
        names.append(await step("b", f"{site}.done{place}"))
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
    return ",".join(names)


async def _finally(node: Node, site: str) -> str:
    try:
        return await play(node.parts[0], f"{site}.try")
    finally:
        await step("c", f"{site}.finally")


async def _except(node: Node, site: str) -> str:
    try:
        return await _sequence(node, site)
    except (StepError, ExceptionGroup) as error:
        return type(error).__name__ + await step("a", f"{site}.except")


async def _shield(node: Node, site: str) -> str:
    return await asyncio.shield(play(node.parts[0], f"{site}.shielded"))


async def _cancel(node: Node, site: str) -> str:
    tasks = _tasks(node, site)
    result = await step("b", f"{site}.before")
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return result + ",".join(type(each).__name__ for each in ended)


async def _queue(node: Node, site: str) -> str:
    queue: asyncio.Queue[str] = asyncio.Queue(1)

    async def produce(part: Node, place: int) -> None:
        try:
            await queue.put(await play(part, f"{site}.{place}"))
        except StepError:
            await queue.put("failed")

    async with asyncio.TaskGroup() as group:
        for place, part in enumerate(node.parts):
            group.create_task(produce(part, place))
        taken = [await queue.get() for _ in node.parts]
        taken.append(await step("a", f"{site}.taken"))
    return ",".join(taken)


async def _event(node: Node, site: str) -> str:
    event = asyncio.Event()

    async def wait(place: int) -> str:
        await event.wait()
        return await step("b", f"{site}.woken{place}")

    waiters = [asyncio.create_task(wait(place)) for place in range(len(node.parts))]
    result = await play(node.parts[0], f"{site}.before")
    event.set()
    return result + ",".join(await asyncio.gather(*waiters))


async def _lock(node: Node, site: str) -> str:
    lock = asyncio.Lock()

    async def hold(part: Node, place: int) -> str:
        async with lock:
            return await play(part, f"{site}.{place}")

    parts = [hold(part, place) for place, part in enumerate(node.parts)]
    return ",".join(await asyncio.gather(*parts))


async def _generator(node: Node, site: str) -> str:
    async def generate() -> AsyncIterator[str]:
        try:
            for place, part in enumerate(node.parts):
                yield await play(part, f"{site}.{place}")
        finally:
            await step("c", f"{site}.closed")

    async for each in generate():
        if len(site) % 2:
            return each
    return "all"


async def _forget(node: Node, site: str) -> str:
    tasks = _tasks(node, site)
    return f"forgot {len(tasks)}"


_KINDS: dict[str, Callable[[Node, str], Awaitable[str]]] = {
    "step": _step,
    "rest": _rest,
    "sequence": _sequence,
    "gather": _gather,
    "gather_all": _gather_all,
    "group": _group,
    "as_completed": _as_completed,
    "first": _first,
    "finally": _finally,
    "except": _except,
    "shield": _shield,
    "cancel": _cancel,
    "queue": _queue,
    "event": _event,
    "lock": _lock,
    "generator": _generator,
    "forget": _forget,
}
# The unit of every count here, so that one profile can make all of them thorough.
EXAMPLES = (settings.default or settings()).max_examples
_NAMES = ["a", "a", "b", "c", "fail"]

steps = st.sampled_from(_NAMES).map(lambda name: Node("step", (), name))
leaves = steps | st.just(Node("rest"))


def _branching(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(
        Node,
        st.sampled_from([kind for kind in _KINDS if kind not in ("step", "rest")]),
        st.lists(parts, min_size=1, max_size=4).map(tuple),
    )


programs = st.recursive(leaves, _branching, max_leaves=14).map(
    # A run that asks for nothing tells nothing.
    lambda program: Node("sequence", (Node("except", (program,)), Node("step", (), "a")))
)
schedules = st.lists(st.integers(0, 99), max_size=40)


def to_json(node: Node) -> list[object]:
    """A program as JSON can hold it."""
    return [node.kind, [to_json(part) for part in node.parts], node.name]


def from_json(kind: str, parts: list[tuple[str, list[object], str]], name: str) -> Node:
    """The program again."""
    return Node(kind, tuple(from_json(*part) for part in parts), name)  # type: ignore[arg-type]
