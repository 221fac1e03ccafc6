"""What tests with a sandbox share: starting a run with one event, looking at what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

import assay
from assay.testing import Sandbox

if TYPE_CHECKING:
    from assay.testing import Databases
    from assay.wire.runs import RunDetail, Step
    from assay.wire.scores import Score

OpenBox: TypeAlias = Callable[..., Sandbox]
Arm: TypeAlias = Callable[[Sandbox], None]
"""Asks a sandbox for the crash."""


async def start(
    box: Sandbox, name: str = "go", data: dict[str, Any] | None = None, **event: Any
) -> str:
    """Send an event that starts one run; gives its id."""
    (run,) = (await box.send(assay.Event(name, {} if data is None else data, **event))).run_ids
    return run


async def finish(
    box: Sandbox, name: str = "go", data: dict[str, Any] | None = None, **event: Any
) -> RunDetail:
    """Send an event that starts one run; gives that once it has ended."""
    return await box.finished(await start(box, name, data, **event))


def step(run: RunDetail, name: str, index: int = 0) -> Step:
    """A step of a run."""
    (found,) = [one for one in run.steps if (one.id, one.index) == (name, index)]
    return found


def states(run: RunDetail) -> dict[str, str]:
    """The states of a run's outcomes by name."""
    return {outcome.name: outcome.state for outcome in run.outcomes}


def values(run: RunDetail) -> dict[str, object]:
    """The latest values of a run's scores by name."""
    return {score.name: score.value for score in run.scores}


def counts_for(score: Score) -> list[tuple[str, str, int, bool]]:
    """What a score counts for, or names in vain."""
    return [(a.experiment, a.variant, a.index, a.counted) for a in score.attributions]


def attributed(run: RunDetail) -> dict[str, list[tuple[str, str, int, bool]]]:
    """What the latest scores of a run count for, by name."""
    return {score.name: counts_for(score) for score in run.scores}


async def at_each_commit(
    databases: Databases, live: Callable[[str, Arm], Awaitable[None]], *, is_before: bool
) -> None:
    """Live a story again and again, with a crash at its first commit, at its second, at each.

    A life has a database of its own. The one whose crash does not come has no such commit any more.
    """
    for commit in count(1):

        def arm(box: Sandbox, commit: int = commit) -> None:
            (box.crash_before if is_before else box.crash_after)(commit=commit)

        with databases.new() as url:
            came = await crash_came(live(url, arm))
        if not came:
            assert commit > 1
            return


async def crash_came(life: Awaitable[None]) -> bool:
    """Whether the crash that a sandbox was asked for took place."""
    try:
        await life
    except assay.AssayError as error:
        if error.code != "crash_missed":
            raise
        return False
    return True


class Recorder(list[str]):
    """Notes that steps and bodies take."""

    def note(self, text: str) -> str:
        """Note and give it back."""
        self.append(text)
        return text
