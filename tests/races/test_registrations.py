"""Functions that are gone from the code, while several workers of the app come and go."""

from __future__ import annotations

import assay
from races.world import World, raced


def code(*functions: str) -> assay.Client:
    """An app whose functions all start on `go`."""
    client = assay.Client("races")
    for name in functions:

        @client.function(name, on="go")
        async def function(_: assay.Context) -> str:
            return "done"

    return client


async def started(world: World) -> set[str]:
    """The functions that one more event starts."""
    sent = await world.send(world.event("go"))
    rows = await world.rows("SELECT fn FROM assay.runs WHERE id = ANY (%s)", list(sent.run_ids))
    return {row[0] for row in rows}


@raced
async def test_a_renamed_function_starts_under_its_new_name_alone(world: World) -> None:
    """The next worker of the same files no longer has the old one."""
    before = await world.worker(code("old", "kept"), source="app.py")
    await before.stop()
    await world.worker(code("new", "kept"), source="app.py")

    assert await started(world) == {"new", "kept"}


@raced
async def test_a_function_starts_as_long_as_a_worker_serves_it(world: World) -> None:
    """In a rolling deploy both are there; the old one goes with the last worker that has it."""
    before = await world.worker(code("old"), source="app.py")
    await world.worker(code("new"), source="app.py")
    meanwhile = await started(world)
    await before.stop()

    assert meanwhile == {"old", "new"}
    assert await started(world) == {"new"}


@raced
async def test_a_killed_worker_takes_its_functions_with_it(world: World) -> None:
    """Whoever stands in for it retires what nobody serves."""
    before = await world.worker(code("old"), source="app.py", lease_s=0.3)
    await world.worker(code("new"), source="app.py")
    before._lease.abandon()
    await world.until_row("SELECT retired_at IS NOT NULL FROM assay.functions WHERE fn = 'old'")

    assert await started(world) == {"new"}


@raced
async def test_an_app_without_workers_keeps_its_functions(world: World) -> None:
    """Runs wait for the next worker."""
    worker = await world.worker(code("one"), source="app.py")
    await worker.stop()

    assert await started(world) == {"one"}


@raced
async def test_a_function_that_is_back_starts_again(world: World) -> None:
    """After a roll-back the worker has it as before."""
    for functions in (["one", "two"], ["two"], ["one", "two"]):
        worker = await world.worker(code(*functions), source="app.py")
        await worker.stop()

    assert await started(world) == {"one", "two"}


@raced
async def test_files_of_one_app_on_different_workers_keep_their_functions(world: World) -> None:
    """A worker of other files says nothing about these."""
    first = await world.worker(code("one"), source="one.py")
    await first.stop()
    await world.worker(code("two"), source="two.py")

    assert await started(world) == {"one", "two"}
