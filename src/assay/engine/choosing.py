"""Choosing variants: at once where the way of choosing is known, else with the database's help."""

from __future__ import annotations

import inspect
import json
import logging
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assay.engine.attempts import current_attempt
from assay.errors import AssayError
from assay.experiments.hashing import choose
from assay.ids import to_text
from assay.model.experiment_rules import check_variant
from assay.model.experiments import Strategy, Way
from assay.sdk.port import Choice, StepCall
from assay.store import choices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from assay.clock import Clock
    from assay.model.experiments import Declarer
    from assay.sdk.port import RunInfo
    from assay.store.pool import Link
    from assay.store.turns import Row

_log = logging.getLogger("assay.engine")
_RECENTLY = timedelta(hours=1)


class Choosing:
    """Chooses for the runs of one worker; keeps which epochs it has seen.

    A worker asks for the epoch of a way of choosing once, when it first meets it: while old and new
    code run side by side, each goes on in its own.

    Args:
        by: who declares weights and variants.
    """

    def __init__(self, link: Link, *, project: int, by: Declarer, clock: Clock) -> None:
        self._link = link
        self._project = project
        self._by = by
        self._clock = clock
        self._name: str | None = None
        self._epochs: dict[tuple[str, str], int] = {}
        self._left: dict[tuple[str, int], Mapping[str, float]] = {}

    def needs_database(self, experiment: str, choice: Choice) -> bool:
        """Whether it can't be chosen at once."""
        return (
            choice.pick is not None
            or choice.is_sticky
            or (experiment, _way(choice).fingerprint) not in self._epochs
        )

    def at_once(self, experiment: str, choice: Choice, info: RunInfo) -> Row:
        """The exposure of a run, chosen without the database.

        Raises:
            AssayError: `unknown_variant`: the event forces one that there is not.
        """
        epoch = self._epochs[experiment, _way(choice).fingerprint]
        return self._exposure(experiment, choice, info, epoch, picked=None)

    def step(self, experiment: str, choice: Choice, info: RunInfo) -> StepCall:
        """Choosing as a step, which leaves the exposure on its attempt."""
        pick = choice.pick if _forced(experiment, choice, info) is None else None

        def call() -> Awaitable[str]:
            return self._choose(experiment, choice, info, None if pick is None else pick.call())

        return StepCall(call, is_async=pick is None or pick.is_async)

    async def _choose(
        self, experiment: str, choice: Choice, info: RunInfo, given: str | Awaitable[str] | None
    ) -> str:
        picked = None
        if given is not None:
            text = await given if inspect.isawaitable(given) else given
            assert isinstance(text, str)
            picked = _picked(experiment, json.loads(text), choice)
        epoch = await self._epoch(experiment, choice)
        exposure = self._exposure(experiment, choice, info, epoch, picked=picked)
        if choice.is_sticky and exposure["unit"] is not None and not exposure["forced"]:
            exposure |= await self._kept(experiment, choice, exposure)
        attempt = current_attempt.get()
        assert attempt is not None
        attempt.exposures.append(exposure)
        return memo_of(exposure)

    async def _kept(self, experiment: str, choice: Choice, drawn: Row) -> Row:
        """What a unit was assigned first: its variant, by the weights of which epoch."""
        connection, epoch = await self._link.get(), drawn["epoch"]
        variant, assigned = await choices.assign(
            connection,
            project=self._project,
            experiment=experiment,
            unit=drawn["unit"],
            variant=drawn["variant"],
            epoch=epoch,
            variants=choice.variants,
            now=self._clock.now(),
        )
        weights = choice.weights if assigned == epoch else self._left.get((experiment, assigned))
        if weights is None:
            weights = self._left[experiment, assigned] = await choices.weights(
                connection, project=self._project, experiment=experiment, epoch=assigned
            )
        return {"variant": variant, "epoch": assigned, "p": _share(weights, variant)}

    async def _epoch(self, experiment: str, choice: Choice) -> int:
        way = _way(choice)
        known = self._epochs.get((experiment, way.fingerprint))
        if known is not None:
            return known
        connection = await self._link.get()
        if self._name is None:
            self._name = await choices.project_name(connection, self._project)
        now = self._clock.now()
        epoch = await choices.open_epoch(
            connection,
            way,
            project=self._project,
            experiment=experiment,
            by=self._by,
            now=now,
        )
        if await choices.was_left(
            connection,
            way,
            project=self._project,
            experiment=experiment,
            epoch=epoch,
            since=now - _RECENTLY,
        ):
            _log.warning(
                "experiment %r is chosen as before its last change again, within an hour: do two"
                " versions of the code run side by side? Each return opens an epoch (now %d)",
                experiment,
                epoch,
            )
        return self._epochs.setdefault((experiment, way.fingerprint), epoch)

    def _exposure(
        self, experiment: str, choice: Choice, info: RunInfo, epoch: int, *, picked: str | None
    ) -> Row:
        forced = _forced(experiment, choice, info)
        run = to_text(info.run_id)
        variant = forced or picked
        if variant is None:
            assert self._name is not None
            # Where a unit is missing it is never one bucket for all: the run stands in.
            variant = (
                choice.fixed
                if choice.weights is None or choice.strategy is Strategy.FIXED
                else choose(self._name, experiment, choice.salt, choice.weights, choice.unit or run)
            )
        sessions = sorted(info.sessions.items())
        return {
            "experiment": experiment,
            "run": info.run_id,
            "idx": choice.index,
            "variant": variant,
            "unit": run if choice.is_by_run else choice.unit,
            "cluster": "=".join(sessions[0]) if choice.is_by_run and sessions else None,
            "p": None if forced else _probability(choice, variant),
            "epoch": epoch,
            "forced": forced is not None,
            "at": self._clock.time(),
        }


def memo_of(exposure: Row) -> str:
    """What the journal remembers of a choice."""
    return json.dumps({"variant": exposure["variant"], "index": exposure["idx"]})


def _forced(experiment: str, choice: Choice, info: RunInfo) -> str | None:
    wanted = (info.force or {}).get(experiment)
    if wanted is None:
        return None
    return check_variant(experiment, wanted, choice.variants, field="force")


def _picked(experiment: str, given: object, choice: Choice) -> str:
    """What a custom choice gave: a variant, and none that it says it never gives."""
    variant = check_variant(experiment, given, choice.variants, field="select")
    if choice.weights is None or choice.weights[variant] > 0:
        return variant
    raise AssayError(
        f"experiment {experiment!r} chose {variant!r}, whose declared probability is 0",
        code="experiment_weights",
        field="probabilities",
        hint="declare with which probability each variant is given, or leave probabilities out",
    )


def _probability(choice: Choice, variant: str) -> float | None:
    if choice.strategy is Strategy.FIXED:
        return 1.0
    if choice.weights is None:
        return None
    return _share(choice.weights, variant)


def _share(weights: Mapping[str, float], variant: str) -> float:
    return weights[variant] / math.fsum(weights.values())


def _way(choice: Choice) -> Way:
    weights: Any = choice.weights
    if choice.strategy is Strategy.FIXED:
        weights = {name: float(name == choice.fixed) for name in choice.variants}
    return Way(
        strategy=choice.strategy,
        variants=choice.variants,
        weights=weights,
        salt=choice.salt,
        unit_kind="run" if choice.is_by_run else "bucket",
        is_sticky=choice.is_sticky,
    )
