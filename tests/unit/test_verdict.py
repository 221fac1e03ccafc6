"""What may be said of variants: sharing alpha, gates before a word, what stands."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assay.experiments.looks import Guardrail, Rules, Seen
from assay.experiments.verdict import next_looks, standing
from assay.model.experiments import Mode
from assay.model.looks import GuardrailWord, Look, Word
from assay.stats import planned
from assay.stats.anytime import multiplier, tuning
from assay.stats.ratios import Difference, Mean
from comparisons import comparison
from simulation.measuring import SHOWN, Share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.experiments.comparison import Comparison

DATA = Path(__file__).parents[1] / "data"
RULES = Rules(alpha=0.05)
START = datetime(2026, 1, 1, tzinfo=UTC)
G = tuning(500, 0.05)


def compared(
    estimate: float, se: float = 0.02, *, units: int = 400, rate: float = 0.5
) -> Comparison:
    """A difference over many units."""
    control, treatment = (
        Mean(
            estimate=value, variance=se**2 / 2, units=units // 2, values=units, effective=units / 2
        )
        for value in (rate, rate + estimate)
    )
    return comparison(
        control, treatment, Difference(estimate=estimate, variance=se**2, df=math.inf)
    )


def at(estimate: float, day: int = 10, *, last: int = 10, se: float = 0.02) -> Seen:
    """What is seen on a day of a plan."""
    return Seen(
        cutoff=START + timedelta(days=day),
        comparison=compared(estimate, se),
        time=day / last,
        is_final=day == last,
    )


def looked(
    seen: Mapping[str, Seen],
    history: Mapping[str, list[Look]] | None = None,
    *,
    rules: Rules = RULES,
    mode: Mode = Mode.PLANNED,
) -> dict[str, Look]:
    """The next looks."""
    return next_looks(history or {}, seen, rules, mode=mode, g=G)


def words(looks: Mapping[str, Look]) -> dict[str, Word | None]:
    """What each says."""
    return {variant: look.word for variant, look in looks.items()}


def test_variants_share_alpha_until_one_is_shown() -> None:
    """2.2 errors are too few at half of alpha, and enough once the other variant is shown."""
    weak = at(2.2 * 0.02)
    assert words(looked({"b": at(0.0), "c": weak}))["c"] is Word.NOT_SHOWN
    both = looked({"b": at(4 * 0.02), "c": weak})
    assert words(both) == {"b": Word.BETTER, "c": Word.BETTER}
    assert {variant: look.alpha for variant, look in both.items()} == {"b": 0.025, "c": 0.05}


@pytest.mark.parametrize("mode", Mode)
def test_the_method_of_holm(mode: Mode) -> None:
    """The p-values of Benjamini and Hochberg 1995, each a variant's: three are shown."""
    case = json.loads((DATA / "statistics_vectors.json").read_text())["holm"]
    seen = {}
    for place, p in enumerate(case["p"]):
        deviate = NormalDist().inv_cdf(1 - p / 2)
        if mode is Mode.ANYTIME:  # Where the evidence has that p-value.
            deviate = multiplier(min(p, 0.999), df=math.inf, units=400, g=G) if p < 1 else 0.0
        seen[f"b{place}"] = at(deviate * 0.02)
    said = list(words(looked(seen, mode=mode)).values())
    assert said.count(Word.BETTER) == case["rejections"]


def test_a_variant_that_was_shown_before_frees_its_alpha() -> None:
    """Also where it would not be shown again today."""
    shown = looked({"b": at(6 * 0.02, 5, se=0.02), "c": at(0.0, 5)})
    assert shown["b"].word is Word.BETTER
    history = {variant: [look] for variant, look in shown.items()}
    later = {"b": at(0.0, se=0.014), "c": at(2.2 * 0.014, se=0.014)}
    assert words(looked(later, history))["c"] is Word.BETTER


@pytest.mark.parametrize("day", [6, 9])
def test_what_was_spent_before_another_variant_came_is_gone(day: int) -> None:
    """From then on there is half of alpha, less what was spent of the whole."""
    history: dict[str, list[Look]] = {"b": [], "c": []}
    for now in range(1, 11):
        present = "bc" if now > day else "b"
        seen = {variant: at(0.001, now, se=0.1 / now**0.5) for variant in present}
        for variant, look in looked(seen, history).items():
            history[variant].append(look)
    first, last, late = history["b"][day], history["b"][-1], history["c"][-1]
    before, times = planned.spent(day / 10, RULES.alpha), [now / 10 for now in range(1, day + 2)]
    alone = planned.boundaries(times, times, RULES.alpha / 2)[-1]
    assert first.alpha == last.alpha == late.alpha == RULES.alpha / 2
    assert last.spent == pytest.approx(max(before, RULES.alpha / 2))
    assert late.spent == pytest.approx(RULES.alpha / 2)
    assert first.boundary is not None
    assert first.boundary > alone


@pytest.mark.parametrize("mode", Mode)
def test_a_variant_that_comes_half_way_leaves_the_promise_to_all_of_them(mode: Mode) -> None:
    """Of walks without a difference no more than alpha ever show one, c's from the middle on."""
    rng = np.random.default_rng(5)
    wrong, walks, days = 0, 400, 20
    for _ in range(walks):
        history: dict[str, list[Look]] = {"b": [], "c": []}
        sums = {"b": 0.0, "c": 0.0}
        for day in range(1, days + 1):
            seen: dict[str, Seen] = {}
            for variant, begun in (("b", 0), ("c", days // 2))[: 1 + (day > days // 2)]:
                sums[variant] += rng.normal()
                n = day - begun
                seen[variant] = replace(
                    at(sums[variant] / n, day, last=days),
                    comparison=compared(sums[variant] / n, n**-0.5, units=20 * n),
                )
            g = tuning(20 * days * 2 / (1 + len(seen)), RULES.alpha)
            for variant, look in next_looks(history, seen, RULES, mode=mode, g=g).items():
                history[variant].append(look)
        wrong += any(look.word in SHOWN for looks in history.values() for look in looks)
    assert Share(wrong, walks).is_at_most(RULES.alpha)


def test_equivalence_frees_no_alpha() -> None:
    """It is no rejection."""
    rules = replace(RULES, margin=0.1)
    found = looked({"b": at(0.0), "c": at(2.2 * 0.02)}, rules=rules)
    assert words(found) == {"b": Word.EQUIVALENT, "c": Word.EQUIVALENT}
    wide = looked({"b": at(0.0), "c": at(2.2 * 0.06, se=0.06)}, rules=rules)
    assert words(wide) == {"b": Word.EQUIVALENT, "c": Word.NOT_SHOWN}
    before = looked({"b": at(0.0, 5), "c": at(0.0, 5, se=0.06)}, rules=rules)
    assert words(before) == {"b": Word.EQUIVALENT, "c": Word.KEEP_COLLECTING}
    history = {variant: [look] for variant, look in before.items()}
    later = looked({"b": at(0.0), "c": at(2.2 * 0.04, se=0.04)}, history, rules=rules)
    assert words(later)["c"] is Word.NOT_SHOWN


def test_lower_may_be_better() -> None:
    """As the plan says."""
    rules = replace(RULES, higher_is_better=False)
    assert words(looked({"b": at(-0.1)}, rules=rules)) == {"b": Word.BETTER}
    assert words(looked({"b": at(0.1)}, rules=rules)) == {"b": Word.WORSE}


@pytest.mark.parametrize("mode", Mode)
def test_unequal_silence_takes_a_word_away(mode: Mode) -> None:
    """72 % answered against 51 %: who is silent may be who is unhappy."""
    seen = replace(at(0.1, 10), coverage=compared(-0.21, 0.03, rate=0.72))
    look = looked({"b": seen}, mode=mode)["b"]
    assert look.word is Word.INVALID
    assert look.reason == "answered 51% of 'b' and 72% of 'a'"


def test_unequal_silence_that_could_turn_nothing_does_not() -> None:
    """Were all silent runs against it, it would still hold."""
    seen = replace(at(0.3), coverage=compared(-0.21, 0.03), bounds={Word.BETTER: compared(0.09)})
    assert looked({"b": seen})["b"].word is Word.BETTER
    seen = replace(seen, bounds={Word.BETTER: compared(0.01)})
    assert looked({"b": seen})["b"].word is Word.INVALID


@pytest.mark.parametrize(
    ("against_better", "against_worse", "word"),
    [
        (-0.02, 0.02, Word.EQUIVALENT),
        (-0.08, 0.02, Word.INVALID),
        (-0.02, 0.08, Word.INVALID),
        (0.04, 0.04, Word.EQUIVALENT),
    ],
)
def test_what_is_equivalent_stays_so_only_if_silence_could_not_move_it_out_of_the_margin(
    against_better: float, against_worse: float, word: Word
) -> None:
    """On either side: both suppositions have to lie within it with all of their intervals."""
    bounds = {
        Word.BETTER: compared(against_better),
        Word.WORSE: compared(against_worse),
    }
    seen = replace(at(0.0), coverage=compared(-0.21, 0.03), bounds=bounds)
    rules = replace(RULES, margin=0.1)
    assert looked({"b": seen}, rules=rules)["b"].word is word


def test_the_end_of_a_plan_decides_nothing_in_the_anytime_mode() -> None:
    """Its looks go on."""
    assert looked({"b": at(0.0)}, mode=Mode.ANYTIME)["b"].word is Word.KEEP_COLLECTING


def test_a_small_difference_in_coverage_is_no_matter() -> None:
    """Three errors are not yet one in a thousand."""
    seen = replace(at(0.1), coverage=compared(-0.09, 0.03))
    assert looked({"b": seen})["b"].word is Word.BETTER


@pytest.mark.parametrize("mode", Mode)
def test_a_broken_assignment_is_invalid_for_good(mode: Mode) -> None:
    """Evidence of 1000 latches; even a verdict before it no longer stands."""
    fine = looked({"b": at(0.2, 5)}, mode=mode)["b"]
    assert fine.word is Word.BETTER
    broken = looked(
        {"b": replace(at(0.2, 6, se=0.018), log_e_balance=math.log(1000))}, {"b": [fine]}, mode=mode
    )["b"]
    again = looked({"b": at(0.2, 7, se=0.016)}, {"b": [fine, broken]}, mode=mode)["b"]
    assert [look.word for look in (broken, again)] == [Word.INVALID, Word.INVALID]
    verdict = standing([fine, broken, again])
    assert (verdict.word, verdict.look, verdict.is_decided) == (Word.INVALID, broken, True)


def test_what_is_not_randomised_gets_no_word() -> None:
    """Its numbers describe."""
    look = looked({"b": replace(at(0.5), is_randomised=False)})["b"]
    assert look.word is Word.INVALID
    assert look.reason is not None
    assert look.reason.startswith("not randomised")


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("margin", "estimate", "word"),
    [
        (0.05, 0.0, Word.BETTER),
        (0.05, -0.04, Word.KEEP_COLLECTING),
        (-0.05, 0.0, Word.BETTER),
        (-0.05, 0.04, Word.KEEP_COLLECTING),
        (-0.05, -0.3, Word.BETTER),
    ],
)
def test_better_needs_its_guardrails(
    mode: Mode, margin: float, estimate: float, word: Word
) -> None:
    """A positive margin says how far it may fall, a negative one how far it may rise."""
    guardrail = Guardrail(metric="latency", margin=margin, comparison=compared(estimate, 0.01))
    seen = replace(at(0.2, 5), guardrails=[guardrail])
    look = looked({"b": seen}, mode=mode)["b"]
    assert look.word is word
    assert (look.guardrails[0].word is GuardrailWord.HELD) is (word is Word.BETTER)
    if word is not Word.BETTER:
        assert look.reason == "guardrail: latency"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("margin", "estimate"), [(0.05, -0.3), (-0.05, 0.3)])
@pytest.mark.parametrize("is_final", [False, True])
def test_a_guardrail_beyond_its_margin_is_broken_and_nothing_better(
    mode: Mode, margin: float, estimate: float, *, is_final: bool
) -> None:
    """All of its interval is on the bad side: that is shown, not open."""
    guardrail = Guardrail(metric="latency", margin=margin, comparison=compared(estimate, 0.01))
    seen = replace(at(0.2, 5), guardrails=[guardrail], is_final=is_final)
    look = looked({"b": seen}, mode=mode)["b"]
    assert look.guardrails[0].word is GuardrailWord.BROKEN
    ended = is_final and mode is Mode.PLANNED
    assert look.word is (Word.NOT_SHOWN if ended else Word.KEEP_COLLECTING)
    assert look.reason == "guardrail broken: latency"


def test_worse_needs_no_guardrail() -> None:
    """It is bad enough."""
    guardrail = Guardrail(metric="latency", margin=0.01, comparison=compared(0.0, 0.5))
    look = looked({"b": replace(at(-0.2, 5), guardrails=[guardrail])})["b"]
    assert look.word is Word.WORSE


def test_the_first_word_stands() -> None:
    """Whatever later looks show."""
    first = looked({"b": at(0.2, 5)})["b"]
    later = looked({"b": at(0.0, 10, se=0.014)}, {"b": [first]})["b"]
    verdict = standing([first, later])
    assert (verdict.word, verdict.look) == (Word.BETTER, first)


def test_nothing_is_decided_before_the_first_look() -> None:
    """And it says so."""
    verdict = standing([])
    assert (verdict.word, verdict.is_decided) == (Word.KEEP_COLLECTING, False)


def test_what_the_last_look_of_a_plan_said_stands() -> None:
    """No look follows, so that today's interval is the anytime one."""
    bounds = {Word.BETTER: compared(0.01)}
    early, last = (
        replace(at(0.2, day), coverage=compared(-0.21, 0.03), bounds=bounds) for day in (9, 10)
    )
    first = looked({"b": early})["b"]
    second = looked({"b": last}, {"b": [first]})["b"]
    assert [standing([first]).is_decided, standing([first, second]).is_decided] == [False, True]
    assert standing([first, second]).word is Word.INVALID
