"""Verdicts and warnings in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.experiments.amounts import difference, ends, size
from assay.experiments.comparison import FEW_EFFECTIVE
from assay.experiments.verdict import BROKEN_GUARDRAIL
from assay.model.looks import GuardrailWord, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from assay.model.results import Figure, Planning, VariantResult

NOT_LOOKED_AT = "not looked at yet"


def level(alpha: float) -> str:
    """The level of an interval: `95 %`."""
    return f"{100 * (1 - alpha):.4g} %"


def interval(figure: Figure, *, is_share: bool) -> str:
    """A difference with its interval, or why there is none."""
    if figure.estimate is None or figure.ci is None:
        return figure.reason or "no interval"
    seen = difference(figure.estimate, is_share=is_share)
    return f"{seen}, {level(figure.alpha)} interval {ends(figure.ci, is_share=is_share)}"


def verdict(
    word: Word | None,
    *,
    variant: str,
    control: str,
    reason: str | None,
    seen: Figure | None,
    planning: Planning,
    at: datetime | None,
    is_share: bool,
    doubts: Sequence[str] = (),
) -> str:
    """What stands, in a few sentences; *doubts* say what has come up against it since then."""
    shown = "" if seen is None else f" ({interval(seen, is_share=is_share)})"
    day = "" if at is None else f" Decided on {at:%Y-%m-%d}."
    for doubt in doubts:
        how = "" if doubt.startswith(BROKEN_GUARDRAIL) else "who is silent could turn it: "
        day += f" By now {how}{doubt}."
    if word is None:
        return (
            f"No plan says what decides: {variant!r} beside {control!r} is exploratory,"
            " and nothing is called better."
        )
    if word is Word.INVALID:
        return f"Invalid: {reason}."
    if word in (Word.BETTER, Word.WORSE):
        return f"{variant!r} is {word} than {control!r}{shown}.{day}"
    if word is Word.EQUIVALENT:
        return f"{variant!r} and {control!r} are equivalent{shown}.{day}"
    if word is Word.NOT_SHOWN:
        why = f" ({reason})" if reason else ""
        mde = ""
        if planning.mde is not None and seen is not None:
            mde = f" A difference of {size(planning.mde, is_share=is_share)} could be found."
        what = f"No difference between {variant!r} and {control!r} is shown"
        if reason and reason.startswith("guardrail"):
            # The difference was shown; that nothing else gets worse was not.
            what, mde = f"{variant!r} is not shown to be better than {control!r}", ""
        return f"{what}{why}{shown}.{mde}{day}"
    more = _more(planning, is_share=is_share)
    if reason and reason.startswith(BROKEN_GUARDRAIL):
        more = f" As long as it is, {variant!r} is not called better than {control!r}."
    return f"Keep collecting{'' if not reason else f' ({reason})'}.{more}"


def _more(planning: Planning, *, is_share: bool) -> str:
    if planning.difference is None or planning.units_more is None:
        return ""
    wanted = size(planning.difference, is_share=is_share)
    if planning.units_more == 0:
        return f" There are {planning.unit}s enough for a difference of {wanted}."
    return (
        f" About {planning.units_more:,} more {planning.unit}s find a difference of {wanted} with"
        f" power {planning.power:g}."
    )


def warnings(
    one: VariantResult, *, is_thin: bool, is_share: bool, is_of_survivors: bool
) -> Iterator[str]:
    """What a reader of a comparison should know."""
    pair, unit = f"{one.variant!r} beside {one.control_variant!r}", one.by_unit.unit
    if is_thin:
        yield (
            f"{pair}: an arm has under {FEW_EFFECTIVE:g} effective {unit}s;"
            " its intervals may be a little too narrow"
        )
    for guardrail in one.guardrails:
        if guardrail.word is GuardrailWord.BROKEN:
            yield (
                f"{pair}: the guardrail {guardrail.metric!r} is broken, its whole interval beyond"
                f" the margin; {one.variant!r} is not called better while it is"
            )
    if one.weightings_differ:
        by_run, by_unit = (
            _plain(figure, is_share=is_share) for figure in (one.survivors, one.by_unit)
        )
        is_tested = one.runs_per_unit.difference.estimate is not None
        why = f"; see runs per {unit}" if is_tested else ""
        yield (
            f"{pair}: with each run the same the difference is {by_run}, with each {unit} the same"
            f" {by_unit}{why}"
        )
    if one.runs_per_unit.is_unlikely:
        differ = _plain(one.runs_per_unit.difference, is_share=False)
        yield (
            f"{pair}: runs per {unit} differ by {differ}, more than by chance; a variant that"
            " changes how much is asked changes what a run is"
        )
    if one.coverage.is_unlikely:
        differ = _plain(one.coverage.difference, is_share=True)
        yield (
            f"{pair}: coverage differs by {differ}, more than by chance; who is silent may be who"
            " is unhappy"
        )
    if is_of_survivors and one.failures.is_unlikely:
        differ = _plain(one.failures.difference, is_share=True)
        yield (
            f"{pair}: failed runs, which are left out here, differ by {differ}, more than by"
            " chance; those that are left are not alike"
        )
    if one.epochs_left_out:
        yield (
            f"{pair}: {_epochs(one.epochs_left_out)} left out, where an arm has under 2 {unit}s"
            " with values or chance did not choose"
        )


def _plain(figure: Figure, *, is_share: bool) -> str:
    return "unknown" if figure.estimate is None else difference(figure.estimate, is_share=is_share)


def _epochs(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers))
    return f"epoch {listed} is" if len(numbers) == 1 else f"epochs {listed} are"
