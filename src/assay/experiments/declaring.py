"""Who declared an experiment's plan and its way of choosing, and whether several do so in turn."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from assay.experiments import sight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.experiments.facts import Facts
    from assay.model.experiments import Declarer, Epoch
    from assay.store.experiments import PlanRecord

_HOUR = timedelta(hours=1)


def warnings(facts: Facts) -> Iterator[str]:
    """What is declared differently by several, in turn: each change begins something anew.

    Until now, and not until the last full hour, since whoever starts a worker looks at once.
    """
    yield from _plans(facts)
    changes = sight.most_returns(facts.chosen, within=_HOUR)
    pair = _alternating(facts.chosen)
    if changes:
        by = "" if pair is None else f" ({_in_turn(*pair)})"
        yield (
            f"the way of choosing changed {changes} times within an hour, back and forth: two"
            f" versions of the code run side by side{by}; each change opens an epoch, and variants"
            " are compared within epochs only"
        )
    elif pair is not None:
        yield (
            f"the way of choosing is {_in_turn(*pair)}: each change opens an epoch, and variants"
            " are compared within epochs only"
        )


def _plans(facts: Facts) -> Iterator[str]:
    if not facts.plans:
        return
    *before, force = facts.plans
    others = [
        one.by
        for one in facts.declarations
        if one.plan != force.plan and one.declared_at > force.declared_at
    ]
    if others and force.by is not None:
        yield (
            f"the plan is {_in_turn(*map(_who, [force.by, *others]))}: version {force.version}, the"
            " first one's, stays in force; take it out of the others, or change theirs to have it"
        )
    if before and before[-1].plan != force.plan and force.plan in [one.plan for one in before]:
        first, second = (_declared(one) for one in (before[-1], force))
        yield (
            f"the plan is {_in_turn(first, second)}: version {force.version} is an earlier one"
            " again, and each version counts only units first exposed after it"
        )


def _alternating(epochs: Sequence[Epoch]) -> tuple[str, str] | None:
    """Who last returned to a way of choosing that another had replaced: two apps, or twice."""
    ways = [sight.way_of(one) for one in epochs]
    is_back = [before == now for before, now in zip(ways, ways[2:], strict=False)]
    for place in reversed(range(len(is_back))):
        _, other, one = epochs[place : place + 3]
        if is_back[place] and (other.app != one.app or (place and is_back[place - 1])):
            return _chosen(other), _chosen(one)
    return None


def _in_turn(*who: str) -> str:
    return f"declared differently by {' and '.join(who)}, in turn"


def _declared(plan: PlanRecord) -> str:
    return "an earlier worker" if plan.by is None else _who(plan.by)


def _chosen(epoch: Epoch) -> str:
    if epoch.version is None:
        return f"app {epoch.app!r}"
    return _named(epoch.app, epoch.version, str(epoch.worker), epoch.author)


def _who(by: Declarer) -> str:
    return _named(by.app, by.version, by.worker, by.author)


def _named(app: str, version: str, worker: str, author: str | None) -> str:
    by = "" if author is None else f", {author}"
    return f"app {app!r} (version {version}, worker {worker}{by})"
