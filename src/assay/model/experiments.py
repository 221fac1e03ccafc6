"""Experiments: a choice in a run, its variants, and the plan of how it is to be judged."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


class Strategy(StrEnum):
    """How a variant is chosen."""

    FIXED = "fixed"
    WEIGHTED = "weighted"
    BUCKET = "bucket"
    CUSTOM = "custom"


class MetricKind(StrEnum):
    """What scores of a metric are: said in the plan, since the first to arrive may mislead."""

    BOOLEAN = "boolean"
    NUMBER = "number"


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher"
    LOWER = "lower"


class Mode(StrEnum):
    """How looks at an experiment that still runs keep their promise.

    `planned`: looks at fixed days, an end that is known. `anytime`: no end.
    """

    PLANNED = "planned"
    ANYTIME = "anytime"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRef:
    """The exposure that a score counts for; it survives JSON.

    Attributes:
        index: which use of the experiment in the run, from 0.
    """

    experiment: str
    variant: str
    index: int = 0

    def as_dict(self) -> dict[str, str | int]:
        """What JSON can hold: it is accepted wherever a reference is."""
        return {"experiment": self.experiment, "variant": self.variant, "index": self.index}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarer:
    """Who declares plans and ways of choosing.

    Attributes:
        version: a short name for what the app declares, another when any of it changes.
        worker: the process, as host and number.
        author: who answers for it, if that is known.
    """

    app: str
    version: str
    worker: str
    author: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How variants are chosen: a change of it opens an epoch.

    Attributes:
        weights: of each variant; None where they are not known.
        unit_kind: "bucket" where the code names the unit, "run" where each run is one.
        is_sticky: whether a unit keeps its variant whatever the weights become.
    """

    strategy: Strategy
    variants: tuple[str, ...]
    weights: Mapping[str, float] | None
    salt: str
    unit_kind: str
    is_sticky: bool

    @property
    def fingerprint(self) -> str:
        """The same for the same way, in whatever order and scale variants and weights are."""
        weights = self.weights
        whole = None if weights is None else math.fsum(weights.values())
        return json.dumps(
            [
                self.strategy,
                sorted(self.variants),
                None
                if weights is None or whole is None
                else {name: round(weights[name] / whole, 12) for name in sorted(weights)},
                self.salt,
                self.unit_kind,
                self.is_sticky,
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A stretch of an experiment in which nothing of how variants are chosen changed.

    Attributes:
        number: from 1.
        weights: of each variant; None for fixed and custom choices.
        unit_kind: "bucket" where the code names the unit, "run" where each run is one.
        sticky: a unit keeps its variant whatever the weights become.
        app, version, worker, author: as of `Declarer`; None where that was not kept yet.
    """

    number: int
    strategy: Strategy
    variants: tuple[str, ...]
    weights: Mapping[str, float] | None
    salt: str
    unit_kind: str
    sticky: bool
    app: str
    version: str | None
    worker: str | None
    author: str | None
    opened_at: datetime

    @property
    def is_randomised(self) -> bool:
        """Whether chance chose, with probabilities that are known."""
        return self.strategy is not Strategy.FIXED and self.weights is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """The fact that a run was served a variant.

    Attributes:
        index: which use of the experiment in the run, from 0.
        unit: what was assigned; None where the code named none.
        cluster: what the unit belongs to, where that is coarser: a run's session.
        p: the probability of this variant; None where it was not declared.
        forced: chosen for trying out, and left out of the analysis.
    """

    experiment: str
    run: UUID
    index: int
    variant: str
    unit: str | None
    cluster: str | None
    p: float | None
    epoch: int
    forced: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an experiment is to be judged, declared before its numbers are seen.

    A field that a later version of Assay adds means by its default what was before, and is left
    out of `spec` there: so code that knows less sees by its name that the plan asks for more.

    Attributes:
        primary: the score that decides.
        kind: of the primary scores.
        control: the variant that others are compared with; None for the first.
        alpha: the false positives that are accepted, over all looks and variants.
        power: of finding `mde`.
        days: from start to end; the planned mode needs it.
        units: how many units are expected in all.
        mde: the smallest difference worth finding.
        margin: within which variants count as equivalent.
        guardrails: by how much each of these metrics may get worse.
        maturity_s: how long a run's answer is waited for, in seconds.
        unit: what a unit is, in words.
        on_failure: what a failed run without a score counts as; None leaves such runs out,
            which is another question: how the runs do that survive.
    """

    primary: str
    kind: MetricKind
    control: str | None = None
    direction: Direction = Direction.HIGHER
    mode: Mode = Mode.PLANNED
    alpha: float = 0.05
    power: float = 0.8
    days: float | None = None
    units: int | None = None
    mde: float | None = None
    margin: float | None = None
    guardrails: Mapping[str, float] = field(default_factory=dict)
    maturity_s: float = 604800.0
    unit: str | None = None
    on_failure: float | None = None

    @property
    def spec(self) -> dict[str, object]:
        """As it is stored."""
        return asdict(self) | {"guardrails": dict(self.guardrails)}

    @staticmethod
    def defaults() -> dict[str, object]:
        """What a stored plan means where it says nothing, since older code did not know of it."""
        plan = Plan(primary="", kind=MetricKind.NUMBER)
        return {name: value for name, value in plan.spec.items() if name not in {"primary", "kind"}}
