"""What an experiment says, worked out from its rows one unit after the other.

It shares neither SQL nor formulas with what it checks: here each cluster's influence is made and
summed, where the database sums moments.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An exposure."""

    run: UUID
    index: int
    variant: str
    unit: str | None
    session: str | None
    epoch: int
    forced: bool
    at: datetime
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A score of a run; *names* is the index and variant that it refers to."""

    run: UUID
    id: UUID
    value: float
    at: datetime
    recorded_at: datetime
    names: tuple[int, str] | None


@dataclass(slots=True, kw_only=True)
class Unit:
    """What became of a unit, or of the units of a session."""

    epoch: int
    variant: str
    cluster: str
    units: int = 1
    exposed: int = 0
    after_epoch: int = 0
    moved: int = 0
    crossed: int = 0
    mature: int = 0
    scored: int = 0
    failed: int = 0
    late: int = 0
    early: int = 0
    backdated: int = 0
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rest of what there is to know."""

    cutoff: datetime
    maturity: timedelta
    since: datetime
    sticky: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A mean of clusters that have values, with the influence of each cluster on it."""

    mean: float
    influences: dict[str, float]
    effective: float
    clusters: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A variant beside the control; `estimate` is None where no epoch counts."""

    estimate: float | None = None
    variance: float = 0.0
    df: float = math.inf
    units: int = 0
    left_out: list[int] = field(default_factory=list)


def counted(
    served: Iterable[Served], given: Iterable[Given]
) -> dict[tuple[UUID, int], list[Given]]:
    """The scores that count for each exposure, at any time."""
    uses: dict[UUID, list[Served]] = defaultdict(list)
    for one in served:
        uses[one.run].append(one)
    found: dict[tuple[UUID, int], list[Given]] = defaultdict(list)
    for score in given:
        of_run = uses[score.run]
        alike = len({one.variant for one in of_run}) == 1
        for one in of_run:
            if alike if score.names is None else score.names == (one.index, one.variant):
                found[one.run, one.index].append(score)
    return found


def units(served: Sequence[Served], given: Sequence[Given], rules: Rules) -> list[Unit]:
    """What became of each unit."""
    scores, by_unit = counted(served, given), defaultdict(list)
    for one in served:
        if one.unit is not None and not one.forced and one.at < rules.cutoff:
            by_unit[one.unit].append(one)
    found: list[Unit] = []
    for name, uses in by_unit.items():
        uses.sort(key=lambda one: (one.at, one.run.bytes, one.index))
        first = uses[0]
        if first.at < rules.since:
            continue
        sessions = [one.session for one in uses if one.session is not None]
        unit = Unit(epoch=first.epoch, variant=first.variant, cluster=min(sessions, default=name))
        for is_own in (True, False):
            runs: dict[UUID, list[Served]] = defaultdict(list)
            for one in sorted(uses, key=lambda one: one.index):
                if (rules.sticky or one.epoch == first.epoch) is is_own:
                    runs[one.run].append(one)
            for of_run in runs.values():
                differs = of_run[0].variant != first.variant
                if is_own:
                    unit.exposed += 1
                    unit.crossed += differs
                    _enter(unit, of_run, scores, rules)
                else:
                    unit.after_epoch += 1
                    unit.moved += differs
        found.append(unit)
    return found


def _enter(
    unit: Unit,
    uses: Sequence[Served],
    scores: dict[tuple[UUID, int], list[Given]],
    rules: Rules,
) -> None:
    """Count a run of a unit."""
    first, young = uses[0], rules.cutoff - rules.maturity
    if first.at >= young:
        return
    values: list[float] = []
    late = early = backdated = False
    for use in uses:
        if use.at >= young:
            continue
        end = use.at + rules.maturity
        known = [score for score in scores[use.run, use.index] if score.at < rules.cutoff]
        late |= any(score.at > end for score in known)
        early |= any(score.at < use.at for score in known)
        within = [score for score in known if use.at <= score.at <= end]
        if within:
            latest = max(within, key=lambda score: (score.at, score.id.bytes))
            values.append(latest.value)
            backdated |= latest.recorded_at > end
    unit.mature += 1
    unit.late += late
    unit.early += early
    if values:
        unit.scored += 1
        unit.total += fmean(values)
        unit.backdated += backdated
    elif first.failed_at is not None and first.failed_at <= first.at + rules.maturity:
        unit.failed += 1


def sessions(found: Iterable[Unit]) -> list[Unit]:
    """Units of one session, variant and epoch together."""
    merged: dict[tuple[int, str, str], Unit] = {}
    for unit in found:
        key = (unit.epoch, unit.variant, unit.cluster)
        before = merged.get(key)
        if before is None:
            merged[key] = replace(unit)
            continue
        for name in Unit.__slots__:
            if name not in {"epoch", "variant", "cluster"}:
                setattr(before, name, getattr(before, name) + getattr(unit, name))
    return list(merged.values())


Reading = tuple["Callable[[Sequence[Unit]], Found | None]", "Callable[[Unit], float]"]
"""How an arm is summed up, and what a unit adds to the weight of its epoch."""


def by_run(on_failure: float | None) -> Reading:
    """Each run the same; failed ones count as *on_failure*."""

    def summed(arm: Sequence[Unit]) -> Found | None:
        scored = _ratio(arm, lambda unit: unit.total, lambda unit: unit.scored)
        failed = _ratio(arm, lambda unit: unit.failed, lambda unit: unit.mature)
        if scored is None or failed is None or on_failure is None or failed.mean == 0:
            return scored
        share, away = failed.mean, on_failure - scored.mean
        clusters = scored.influences.keys() | failed.influences.keys()
        return replace(
            scored,
            mean=share * on_failure + (1 - share) * scored.mean,
            influences={
                one: (1 - share) * scored.influences.get(one, 0)
                + away * failed.influences.get(one, 0)
                for one in clusters
            },
        )

    return summed, lambda unit: unit.scored


def by_unit() -> Reading:
    """Each unit with values the same."""
    return (
        lambda arm: _ratio(
            [unit for unit in arm if unit.scored], lambda unit: unit.total / unit.scored, _one
        ),
        lambda unit: float(unit.scored > 0),
    )


def coverage() -> Reading:
    """Runs of which the end is known."""
    return (
        lambda arm: _ratio(arm, lambda unit: unit.scored + unit.failed, lambda unit: unit.mature),
        lambda unit: unit.mature,
    )


def supposing(silent: dict[str, float], on_failure: float | None) -> Reading:
    """Were silent runs known, each as *silent* says of its variant."""

    def total(unit: Unit) -> float:
        # Other variants only weigh.
        value = silent.get(unit.variant, 0.0)
        failed = value if on_failure is None else on_failure
        rest = unit.mature - unit.scored - unit.failed
        return unit.total + failed * unit.failed + value * rest

    return lambda arm: _ratio(arm, total, lambda unit: unit.mature), lambda unit: unit.mature


def _one(_: Unit) -> float:
    return 1.0


def _ratio(
    arm: Sequence[Unit], top: Callable[[Unit], float], bottom: Callable[[Unit], float]
) -> Found | None:
    rows = [(unit.cluster, top(unit), bottom(unit)) for unit in arm if bottom(unit) > 0]
    if not rows:
        return None
    whole = sum(n for _, _, n in rows)
    mean = sum(y for _, y, _ in rows) / whole
    return Found(
        mean=mean,
        influences={
            cluster: (y - mean * n) / whole / math.sqrt(1 - n / whole) if n < whole else math.inf
            for cluster, y, n in rows
        },
        effective=whole**2 / sum(n**2 for _, _, n in rows),
        clusters=frozenset(cluster for cluster, _, _ in rows),
    )


def beside(found: Sequence[Unit], variant: str, control: str, reading: Reading) -> Beside:
    """A variant beside the control: epochs weigh by all arms, clusters are netted over both."""
    summed, size = reading
    parts: list[tuple[float, Found, Found]] = []
    left_out: list[int] = []
    for epoch in sorted({unit.epoch for unit in found}):
        of_epoch = [unit for unit in found if unit.epoch == epoch]
        one, other = (
            summed([unit for unit in of_epoch if unit.variant == name])
            for name in (control, variant)
        )
        if one is None or other is None or min(len(one.clusters), len(other.clusters)) < 2:
            left_out.append(epoch)
        else:
            parts.append((sum(size(unit) for unit in of_epoch), one, other))
    if not parts:
        return Beside(left_out=left_out)
    whole = sum(weight for weight, _, _ in parts)
    estimate = variance = spread = 0.0
    names = 0
    for weight, one, other in parts:
        share = weight / whole
        estimate += share * (other.mean - one.mean)
        clusters = one.influences.keys() | other.influences.keys()
        names += len(one.clusters | other.clusters)
        for cluster in clusters:
            net = other.influences.get(cluster, 0) - one.influences.get(cluster, 0)
            variance += (share * net) ** 2
        for arm in (one, other):
            own = share**2 * sum(value**2 for value in arm.influences.values())
            spread += own**2 / (arm.effective - 1) if own else 0
    return Beside(
        estimate=estimate,
        variance=variance,
        df=variance**2 / spread if spread else math.inf,
        units=names,
        left_out=left_out,
    )
