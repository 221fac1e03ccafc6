"""What tests with a sandbox share: starting a run with one event, looking at what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import assay
from assay.testing import Sandbox

if TYPE_CHECKING:
    from assay.wire.runs import RunDetail, Step
    from assay.wire.scores import Score

OpenBox: TypeAlias = Callable[..., Sandbox]


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


class Recorder(list[str]):
    """Notes that steps and bodies take."""

    def note(self, text: str) -> str:
        """Note and give it back."""
        self.append(text)
        return text
