"""`assay.ExperimentPlan`: how an experiment is to be judged, declared beside the code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeVar

from assay import durations
from assay.errors import AssayError
from assay.model import score_rules
from assay.model.event_rules import is_storable
from assay.model.experiment_rules import MAX_NAME_BYTES, number_of
from assay.model.experiments import Direction, MetricKind, Mode, Plan
from assay.model.moments import RUN_FAILURE, RUN_METRICS

if TYPE_CHECKING:
    from datetime import timedelta

_Words = TypeVar("_Words", bound=StrEnum)
_MOST_DAYS = 366
_LEAST_ALPHA = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """What decides an experiment, and how long it is looked at: said before there are numbers.

    Args:
        primary: the score that decides, or what runs say of themselves: `run.duration`.
        kind: of its values: said, since the first that arrive may mislead.
        control: the variant that the others are compared with; the code's first unless given.
        direction: which way is good.
        mode: `planned` ends after `days` and finds more until then; `anytime` has no end.
        alpha: false positives that are accepted, over all looks and variants.
        power: of finding `mde`: more than alpha.
        days: from the first exposure to the end; the planned mode needs it.
        units: how many units are expected in all: it sizes the anytime intervals.
        mde: the smallest difference that is worth finding.
        margin: within which variants count as equivalent.
        guardrails: scores that must not get worse, each with how much it may fall, or, as a
            negative number, rise. `run.failure` is the share of failed runs, `run.duration` the
            seconds that a run took, `run.tokens` what its spans say it used.
        maturity: how long a run's answer is waited for.
        unit: what a unit is, in words.
        on_failure: what a failed run without a score counts as; None leaves such runs out, which
            is another question. The bad end for booleans, None for numbers, unless given.

    Raises:
        AssayError: `experiment_plan`, `bad_duration`.
    """

    primary: str
    kind: Literal["boolean", "number"]
    control: str | None = None
    direction: Literal["higher", "lower"] = "higher"
    mode: Literal["planned", "anytime"] = "planned"
    alpha: float = 0.05
    power: float = 0.8
    days: float | None = None
    units: int | None = None
    mde: float | None = None
    margin: float | None = None
    guardrails: Mapping[str, float] = field(default_factory=dict)
    maturity: str | float | timedelta = "7d"
    unit: str | None = None
    on_failure: float | Literal["default"] | None = "default"

    def __post_init__(self) -> None:
        """Refuse what can't be kept."""
        self.checked()

    def checked(self) -> Plan:
        """The plan as it is stored."""
        maturity = durations.seconds(self.maturity, field="maturity")
        _between("maturity", maturity, 0, math.inf)
        alpha = _between("alpha", self.alpha, _LEAST_ALPHA, 1)
        whole = 1 if self.kind == "boolean" else math.inf
        units = _between_if_any("units", self.units, 0, math.inf)
        if isinstance(units, float):
            raise _refusal("units", f"must be a whole number (got {self.units!r})", None)
        for name in ("control", "unit"):
            _text(name, getattr(self, name))
        if self.mode == "planned" and self.days is None:
            raise _refusal("days", "is needed in the planned mode", "days=28, or mode='anytime'")
        primary = _metric("primary", self.primary)
        if primary in RUN_METRICS:
            self._check_of_runs(primary)
        return Plan(
            primary=primary,
            kind=_one_of("kind", self.kind, MetricKind),
            control=self.control,
            direction=_one_of("direction", self.direction, Direction),
            mode=_one_of("mode", self.mode, Mode),
            alpha=alpha,
            power=_between("power", self.power, alpha, 1),
            days=self._days(maturity / 86400),
            units=units,
            mde=_between_if_any("mde", self.mde, 0, whole),
            margin=_between_if_any("margin", self.margin, 0, whole),
            guardrails=self._guardrails(),
            maturity_s=maturity,
            unit=self.unit,
            on_failure=self._on_failure(),
        )

    def _days(self, maturity: float) -> float | None:
        hint = f"an answer is waited for {maturity:g} days (maturity), and the plan is longer"
        return _between_if_any("days", self.days, maturity, _MOST_DAYS, hint=hint)

    def _check_of_runs(self, primary: str) -> None:
        """What runs say of themselves is of one kind, and good where there is less of it."""
        kind = MetricKind.BOOLEAN if primary == RUN_FAILURE else MetricKind.NUMBER
        if self.kind != kind:
            raise _refusal(
                "kind", f"of {primary!r} must be {kind.value!r} (got {self.kind!r})", None
            )
        if self.direction != "lower":
            raise _refusal(
                "direction", f"of {primary!r} must be 'lower' (got {self.direction!r})", None
            )

    def _guardrails(self) -> dict[str, float]:
        if not isinstance(self.guardrails, Mapping):
            raise _refusal("guardrails", "must map scores to margins", "guardrails={'tone': 0.05}")
        margins: dict[str, float] = {}
        for name, given in self.guardrails.items():
            _metric("guardrails", name)
            margin = number_of(given)
            if not margin:
                raise _refusal(
                    "guardrails",
                    f"must say how much {name!r} may fall, or rise where negative (got {given!r})",
                    "guardrails={'tone': 0.05, 'run.failure': -0.02}",
                )
            if name in RUN_METRICS and margin > 0:
                # Less of it is good: such a margin would let it rise without end.
                raise _refusal(
                    "guardrails",
                    f"must say how much {name!r} may rise, as a negative number (got {margin!r})",
                    f"guardrails={{{name!r}: {-margin!r}}}",
                )
            if name == RUN_FAILURE and margin <= -1:
                # A share rises by 1 at most, so that it would always be held.
                raise _refusal(
                    "guardrails",
                    f"must say by what share of runs {name!r} may rise, -0.02 for 2 points"
                    f" (got {given!r})",
                    f"guardrails={{{name!r}: -0.02}}",
                )
            margins[name] = float(margin)
        return margins

    def _on_failure(self) -> float | None:
        if self.on_failure == "default":
            if self.kind == "number":
                return None
            return 0.0 if self.direction == "higher" else 1.0
        if self.on_failure is None:
            return None
        value = number_of(self.on_failure)
        if value is None:
            raise _refusal(
                "on_failure", f"must be a number or None (got {self.on_failure!r})", None
            )
        if self.kind == "boolean" and not 0 <= value <= 1:
            raise _refusal(
                "on_failure", f"of a boolean must be from 0 to 1 (got {self.on_failure!r})", None
            )
        return float(value)


def _metric(field: str, name: str) -> str:
    try:
        checked = score_rules.check_name(name)
    except AssayError as wrong:
        raise _refusal(field, f"must name a score: {wrong.message}", None) from None
    if checked.startswith(score_rules.RESERVED) and checked not in RUN_METRICS:
        known = ", ".join(map(repr, RUN_METRICS))
        raise _refusal(field, f"names what runs don't have ({checked!r})", f"they have {known}")
    return checked


def _between(
    name: str, value: object, low: float, high: float, *, hint: str | None = None
) -> float:
    number = number_of(value)
    if number is None or not low < number < high:
        limits = f"more than {low:g}" + ("" if math.isinf(high) else f" and less than {high:g}")
        raise _refusal(name, f"must be {limits} (got {value!r})", hint)
    return number


def _between_if_any(
    name: str, value: object, low: float, high: float, *, hint: str | None = None
) -> float | None:
    return None if value is None else _between(name, value, low, high, hint=hint)


def _text(name: str, value: object) -> None:
    if value is None:
        return
    if not (isinstance(value, str) and value.strip()):
        raise _refusal(name, f"must be text that is not blank (got {value!r})", None)
    if not is_storable(value) or len(value.encode()) > MAX_NAME_BYTES:
        raise _refusal(name, f"must be plain text of {MAX_NAME_BYTES} bytes at most", None)


def _one_of(name: str, value: object, words: type[_Words]) -> _Words:
    try:
        return words(str(value))
    except ValueError:
        known = ", ".join(repr(word.value) for word in words)
        raise _refusal(name, f"must be one of {known} (got {value!r})", None) from None


def _refusal(field: str, wrong: str, hint: str | None) -> AssayError:
    return AssayError(
        f"{field} of an experiment plan {wrong}", code="experiment_plan", field=field, hint=hint
    )
