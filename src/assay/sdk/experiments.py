"""`ctx.experiment`: one of several variants, chosen once, and how it is chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import isawaitable
from numbers import Real
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast

from assay.errors import AssayError
from assay.model import event_rules, json_text
from assay.model.experiment_rules import (
    MAX_NAME_BYTES,
    MAX_UNIT_BYTES,
    check_variant,
    has_controls,
    is_variant_name,
    number_of,
)
from assay.model.experiments import ExperimentRef, Strategy
from assay.model.journal import Kind
from assay.sdk.asks import Ask, Question, ask, asking, call, warn_of_dropped
from assay.sdk.port import Choice, Operation
from assay.sdk.questions import check_step, user_call
from assay.sdk.values import Codec

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable, Coroutine

    from assay.sdk.asks import Asking
    from assay.sdk.port import Journal

R = TypeVar("R")
_CLOSE_TO_1 = 1e-9
_PLAIN = Codec()


class Picked(NamedTuple, Generic[R]):
    """What an experiment gave.

    Attributes:
        result: of the variant that was chosen.
        variant: its name.
        ref: what scores name to count for it: `ctx.defer(..., experiment=picked.ref)`.
    """

    result: R
    variant: str
    ref: ExperimentRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How a variant is chosen: made by `fixed`, `weighted`, `bucket` and `custom`."""

    strategy: Strategy
    name: str = ""
    weights: Mapping[str, float] | None = None
    is_by_run: bool = True
    unit: str | None = None
    salt: str = ""
    is_sticky: bool = False
    pick: Callable[[], object] | None = None


class Each(Enum):
    """What `custom` chooses by where it isn't told."""

    RUN = "run"


def fixed(name: str) -> Selection:
    """Always the same variant: an experiment that is over.

    Units that it is the first to serve count in no comparison, also once chance chooses.
    """
    return Selection(strategy=Strategy.FIXED, name=name)


def weighted(weights: Mapping[str, float], *, salt: str = "") -> Selection:
    """By chance for each run: 50 and 50 is the same as 1 and 1.

    Args:
        weights: of each variant, 0 for one that gets nothing.
        salt: another one deals the runs out anew.
    """
    return Selection(strategy=Strategy.WEIGHTED, weights=_weights(weights), salt=_salt(salt))


def bucket(
    unit: str | float | None,
    *,
    weights: Mapping[str, float] | None = None,
    salt: str = "",
    sticky: bool = False,
) -> Selection:
    """By what the run is for, an account say: all its runs get the same variant.

    Args:
        unit: its id. Where it is missing each run is assigned by itself and left out of the
            analysis.
        weights: of each variant, 0 for one that gets nothing; the same for all unless given.
        salt: another one deals the units out anew.
        sticky: a unit keeps its first variant whatever the weights become.
    """
    if not isinstance(cast("object", sticky), bool):
        raise AssayError(
            f"sticky must be True or False (got {sticky!r:.80})",
            code="experiment_select",
            field="sticky",
        )
    return Selection(
        strategy=Strategy.BUCKET,
        weights=None if weights is None else _weights(weights),
        is_by_run=False,
        unit=_unit(unit),
        salt=_salt(salt),
        is_sticky=sticky,
    )


def custom(
    pick: Callable[[], str | Awaitable[str]],
    *,
    probabilities: Mapping[str, float] | None = None,
    unit: str | float | Each | None = Each.RUN,
) -> Selection:
    """By code of your own, called once a run as a step.

    Args:
        pick: gives a variant's name.
        probabilities: with which it gives each, summing to 1. Without them nobody can tell whether
            units came to the variants by chance, and the numbers are descriptive only.
        unit: what it chooses by, the run unless given. Where it is missing (None) the run is left
            out of the analysis.
    """
    if not callable(pick):
        raise AssayError(
            f"custom needs a function that gives a variant's name (got {pick!r:.80})",
            code="experiment_select",
            field="select",
            hint="select=assay.custom(lambda: ...)",
        )
    if probabilities is not None:
        probabilities = _weights(probabilities, field="probabilities")
        if abs(math.fsum(probabilities.values()) - 1) > _CLOSE_TO_1:
            raise _refusal("probabilities", "must sum to 1")
    is_by_run = unit is Each.RUN
    return Selection(
        strategy=Strategy.CUSTOM,
        weights=probabilities,
        is_by_run=is_by_run,
        unit=None if is_by_run else _unit(unit),
        pick=pick,
    )


class AsyncExperiment:
    """Gives async contexts their `experiment`."""

    _journal: Journal
    _uses: Counter[str]

    def experiment(
        self,
        id: str,
        /,
        *,
        variants: Mapping[str, Callable[[], Awaitable[R]]],
        select: Selection,
    ) -> Coroutine[object, object, Picked[R]]:
        """Choose one of several variants, once, and run that one alone.

        Args:
            id: of the experiment; each use in a loop is an exposure of its own.
            variants: by name, each a callable that asks for at least one step.
            select: how one is chosen: `assay.bucket(account_id, weights={...})` and the like.

        Raises:
            AssayError: none of them is tried again: `experiment_variants`, `unknown_variant`,
                `experiment_weights`, `variant_without_step`, `variant_gone`.
        """
        journal = self._journal

        async def begin() -> Picked[R]:
            question = _question(id, variants, select, journal, self._uses)
            variant = await ask(journal, question)
            with asking() as asked:
                made = cast("object", _known(id, variant, variants)())
                # What a plain function gives has asked for nothing, which is refused below.
                result = await made if isawaitable(made) else made
            return _picked(id, variant, cast("R", result), asked)

        return Ask(begin, lambda: warn_of_dropped(journal, Kind.EXPERIMENT, id))


class SyncExperiment:
    """Gives sync contexts their `experiment`."""

    _journal: Journal
    _uses: Counter[str]

    def experiment(
        self,
        id: str,
        /,
        *,
        variants: Mapping[str, Callable[[], R]],
        select: Selection,
    ) -> Picked[R]:
        """Choose one of several variants, once, and run that one alone; as on `Context`."""
        question = _question(id, variants, select, self._journal, self._uses)
        variant = call(self._journal, question)
        with asking() as asked:
            result = _known(id, variant, variants)()
        return _picked(id, variant, result, asked)


def _question(
    id: str,
    variants: Mapping[str, Callable[[], object]],
    select: Selection,
    journal: Journal,
    uses: Counter[str],
) -> Question[tuple[str, int]]:
    name = check_experiment(id)
    if not isinstance(select, Selection):
        raise AssayError(
            f"experiment {id!r}: select must be made by assay.fixed, weighted, bucket or custom",
            code="experiment_select",
            field="select",
            hint='select=assay.bucket(account_id, weights={"concise": 50, "detailed": 50})',
        )
    names = _names(id, variants)
    if select.strategy is Strategy.FIXED:
        check_variant(id, select.name, names, field="select")
    if not select.is_by_run and select.unit is None:
        journal.logger().warning("experiment %r: no unit: this run is assigned by itself", id)
    forced = journal.info.force or {}
    if forced and name not in forced:
        others = ", ".join(map(repr, sorted(forced)))
        journal.warn(f"the event forces {others}, and not {name!r}, for which this run counts")
    pick = select.pick
    # Counted here, since a step may have the same id.
    index, uses[name] = uses[name], uses[name] + 1
    choice = Choice(
        strategy=select.strategy,
        variants=names,
        fixed=select.name,
        weights=_complete(id, select, names),
        is_by_run=select.is_by_run,
        unit=select.unit,
        salt=select.salt,
        is_sticky=select.is_sticky,
        pick=None if pick is None else user_call(name, pick),
        index=index,
    )
    return Question(Operation(Kind.EXPERIMENT, name, choice), _read)


def check_experiment(id: object) -> str:
    """An experiment's id; `bad_step_id` where it can't be one."""
    name = check_step(id)
    if len(name.encode()) > MAX_NAME_BYTES:
        wrong = f"is longer than {MAX_NAME_BYTES} bytes"
    elif name in {".", ".."} or has_controls(name):
        # Clients resolve the dots of a path.
        wrong = "can't be named by a URL: it is '.', '..' or has control characters"
    else:
        return name
    raise AssayError(f"the experiment id {name!r} {wrong}", code="bad_step_id", field="id")


def _read(text: str) -> tuple[str, int]:
    memo = _PLAIN.load(text)
    return memo["variant"], memo["index"]


def _known(
    id: str, picked: tuple[str, int], variants: Mapping[str, Callable[[], R]]
) -> Callable[[], R]:
    variant, _ = picked
    if variant not in variants:
        raise AssayError(
            f"experiment {id!r}: this run was given {variant!r}, which is gone from the code",
            code="variant_gone",
            field="variants",
            hint="keep a variant until the runs that have it are over, with weight 0",
        )
    return variants[variant]


def _picked(id: str, picked: tuple[str, int], result: R, asked: Asking) -> Picked[R]:
    variant, index = picked
    if not asked.has_asked:
        raise AssayError(
            f"experiment {id!r}: variant {variant!r} asked for no step, so it would run again"
            " whenever this run goes on",
            code="variant_without_step",
            field="variants",
            hint='lambda: ctx.step.run("answer", ...) is a variant, a plain call is none',
        )
    return Picked(result, variant, ExperimentRef(experiment=id, variant=variant, index=index))


def _names(id: str, variants: object) -> tuple[str, ...]:
    if not isinstance(variants, Mapping):
        wrong = "needs variants by name, each a callable"
    elif not variants:
        wrong = "needs at least one variant"
    elif bad := [name for name in variants if not is_variant_name(name)]:
        wrong = f"has a variant whose name is no plain text of 128 bytes at most: {bad[0]!r}"
    elif bad := [name for name, made in variants.items() if not callable(made)]:
        wrong = f"has a variant that can't be called: {bad[0]!r}"
    else:
        return tuple(variants)
    raise AssayError(
        f"experiment {id!r} {wrong}",
        code="experiment_variants",
        field="variants",
        hint='variants={"concise": lambda: ctx.step.run("answer-concise", answer, ...), ...}',
    )


def _complete(id: str, select: Selection, names: tuple[str, ...]) -> Mapping[str, float] | None:
    """The weights of all variants."""
    if select.weights is None:
        return dict.fromkeys(names, 1.0) if select.strategy is Strategy.BUCKET else None
    if select.weights.keys() != set(names):
        odd = min(select.weights.keys() ^ set(names))
        wrong = "no variant" if odd in select.weights else "a variant without one"
        field = "weights" if select.pick is None else "probabilities"
        raise _refusal(field, f"of experiment {id!r} must name its variants: {odd!r} is {wrong}")
    return {name: select.weights[name] for name in names}


def _weights(weights: object, *, field: str = "weights") -> dict[str, float]:
    if not isinstance(weights, Mapping) or not weights:
        raise _refusal(field, "must say a number for each variant")
    whole: dict[str, float] = {}
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, Real):
            raise _refusal(field, f"must be numbers (got {weight!r} for {name!r})")
        number = number_of(weight)
        if number is None or number < 0:
            raise _refusal(field, f"must be 0 or more, and finite (got {weight!r} for {name!r})")
        whole[str(name)] = float(number)
    if not any(whole.values()):
        raise _refusal(field, "must not all be 0")
    if not math.isfinite(sum(whole.values())):
        raise _refusal(field, "must have a sum that is finite")
    return whole


def _refusal(field: str, wrong: str) -> AssayError:
    return AssayError(
        f"{field} {wrong}",
        code="experiment_weights",
        field=field,
        hint=f'{field}={{"concise": 0.5, "detailed": 0.5}}',
    )


def _salt(salt: object) -> str:
    if isinstance(salt, str) and event_rules.is_storable(salt):
        return salt
    raise AssayError(f"salt must be text (got {salt!r})", code="experiment_unit", field="salt")


def _unit(unit: object) -> str | None:
    """A unit as text: numbers and booleans as JSON writes them; blank text is none."""
    if unit is None or (isinstance(unit, str) and not unit.strip()):
        return None
    if (
        isinstance(unit, str)
        and event_rules.is_storable(unit)
        and len(unit.encode()) <= MAX_UNIT_BYTES
    ):
        return unit
    number = unit if isinstance(unit, bool) else number_of(unit)
    if number is not None:
        return json_text.dump(number)
    what = f"plain text of {MAX_UNIT_BYTES} bytes at most or a finite number"
    raise AssayError(
        f"a unit must be {what} (got {unit!r:.80})",
        code="experiment_unit",
        field="unit",
        hint="give the id of what is assigned: an account, a user, a session",
    )
