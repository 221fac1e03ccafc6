"""Scores rolled up over a session; the unit is the run, missing is never 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.store import sessions as store

if TYPE_CHECKING:
    from assay.store.pages import Reading
    from assay.store.sessions import ScoreNumbers

STATES = ("pending", "observed", "timed_out", "skipped", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """A score over the runs of a session, each run counted once with its mean.

    Attributes:
        n: runs that have the score.
        mean, least, greatest: of the runs' numbers, booleans read as 1 and 0; None without runs.
        true_share: the share of true over the runs where the score is a boolean, `n_bool` of them.
        reason: why numbers are None.
        outcomes: how many promises of this score are in each state.
    """

    name: str
    n: int
    mean: float | None
    least: float | None
    greatest: float | None
    n_bool: int
    true_share: float | None
    reason: str | None
    outcomes: dict[str, int] = field(default_factory=dict)


async def of_session(cursor: Reading, *, project: int, key: str, id_: str) -> list[Rollup]:
    """The scores of a session by name, those that are only promised too."""
    numbers = {
        one.name: one for one in await store.scores(cursor, project=project, pairs=[(key, id_)])
    }
    promised: dict[str, dict[str, int]] = {}
    for count in await store.promises(cursor, project=project, key=key, id_=id_):
        promised.setdefault(count.name, dict.fromkeys(STATES, 0))[count.state] = count.n
    return [
        _rollup(name, numbers.get(name), promised.get(name, dict.fromkeys(STATES, 0)))
        for name in sorted(numbers.keys() | promised.keys())
    ]


def _rollup(name: str, found: ScoreNumbers | None, outcomes: dict[str, int]) -> Rollup:
    if found is None:
        waiting = ", ".join(f"{n} {state}" for state, n in outcomes.items() if n)
        return Rollup(
            name=name,
            n=0,
            mean=None,
            least=None,
            greatest=None,
            n_bool=0,
            true_share=None,
            reason=f"no run of the session has this score; promised: {waiting}",
            outcomes=outcomes,
        )
    return Rollup(
        name=name,
        n=found.n,
        mean=found.mean,
        least=found.least,
        greatest=found.greatest,
        n_bool=found.n_bool,
        true_share=found.true_share,
        reason=None if found.n_bool else "true_share: the score is a number, not a boolean",
        outcomes=outcomes,
    )
