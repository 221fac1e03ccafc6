"""Which variant a unit gets: shares, stability under change, independence."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.experiments.hashing import choose, draw

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS = [f"account-{number}" for number in range(2_000)]
WEIGHTS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    st.floats(0.01, 100),
    min_size=2,
    max_size=5,
)
GOLDEN = [
    (("default", "answer-style", "", "concise", "acct_42"), 0.9879596718182477),
    (("default", "answer-style", "", "detailed", "acct_42"), 0.35452500527202097),
    (("default", "answer-style", "2", "concise", "acct_42"), 0.026135710849751692),
    (("default", "answer-style", "", "concise", "42"), 0.47514601336761625),
    (("söka", "stil", "", "中文", "😀"), 0.9232314546892131),
]


def chosen(weights: Mapping[str, float], *, experiment: str = "x", salt: str = "") -> list[str]:
    """The variants of all units."""
    return [choose("default", experiment, salt, weights, unit) for unit in UNITS]


@pytest.mark.parametrize(("key", "expected"), GOLDEN)
def test_golden_draws(key: tuple[str, str, str, str, str], expected: float) -> None:
    """What an implementation in another language has to draw."""
    assert draw(*key) == expected


@pytest.mark.parametrize(
    ("unit", "variants"),
    [
        ("acct_42", ("concise", "control", "b")),
        ("user_1", ("detailed", "control", "c")),
        ("é", ("concise", "new_flow", "c")),
        ("😀", ("detailed", "new_flow", "c")),
    ],
)
def test_golden_variants(unit: str, variants: tuple[str, str, str]) -> None:
    """Those of docs/experiments.md, for other languages."""
    weights: list[dict[str, float]] = [
        {"concise": 50, "detailed": 50},
        {"control": 80, "new_flow": 20},
        {"a": 1, "b": 1, "c": 1},
    ]
    found = tuple(choose("default", "answer-style", "", each, unit) for each in weights)
    assert found == variants


def test_the_variant_is_that_of_the_documented_formula() -> None:
    """The least -ln(u) / w, from the bytes that are hashed."""

    def rank(variant: str, unit: str, weight: float) -> float:
        key = f'["default","x","","{variant}","{unit}"]'.encode()
        bits = f"{int(hashlib.sha256(key).hexdigest(), 16):0256b}"[:53]
        return -math.log((int(bits, 2) + 0.5) / 2**53) / weight

    weights = {"a": 50.0, "b": 30.0, "c": 20.0}
    expected = [min(weights, key=lambda name: rank(name, unit, weights[name])) for unit in UNITS]
    assert chosen(weights) == expected


@given(WEIGHTS)
def test_the_order_of_variants_says_nothing(weights: dict[str, float]) -> None:
    """Weights are by name, and only their ratios count."""
    turned = dict(reversed([(name, weight * 7) for name, weight in weights.items()]))
    for unit in UNITS[:50]:
        assert choose("p", "x", "", weights, unit) == choose("p", "x", "", turned, unit)


@given(WEIGHTS, st.floats(0.01, 100), st.data())
def test_a_change_of_one_weight_moves_only_what_it_has_to(
    weights: dict[str, float], weight: float, data: st.DataObject
) -> None:
    """Units come to the variant that got more, or leave the one that got less; none else moves."""
    changed = data.draw(st.sampled_from(sorted(weights)))
    after = weights | {changed: weight}
    for unit in UNITS[:200]:
        old, new = choose("p", "x", "", weights, unit), choose("p", "x", "", after, unit)
        assert old == new or (new if weight > weights[changed] else old) == changed


def test_units_come_to_variants_by_their_weights() -> None:
    """Within 4 standard deviations, at 100,000 units."""
    weights = {"a": 50.0, "b": 30.0, "c": 20.0, "off": 0.0}
    size = 100_000
    counts = Counter(choose("default", "x", "", weights, f"u{n}") for n in range(size))
    assert counts["off"] == 0
    for name, weight in weights.items():
        share = weight / 100
        assert abs(counts[name] - size * share) <= 4 * math.sqrt(size * share * (1 - share))


@pytest.mark.parametrize("other", [("y", ""), ("x", "second")])
def test_two_experiments_on_the_same_units_are_independent(other: tuple[str, str]) -> None:
    """All four pairs of variants come equally often, at 100,000 units; another salt does it too."""
    size = 100_000
    weights = {"a": 1.0, "b": 1.0}
    pairs = Counter(
        (
            choose("default", "x", "", weights, f"u{n}"),
            choose("default", *other, weights, f"u{n}"),
        )
        for n in range(size)
    )
    expected = size / 4
    chi_square = sum((count - expected) ** 2 / expected for count in pairs.values())
    assert len(pairs) == 4
    assert chi_square < 21.1  # the upper 0.0001 of three degrees of freedom


def test_raising_a_share_moves_the_least_possible() -> None:
    """From a third to a half: a sixth of the units moves, and all of it to that variant."""
    before = chosen({"a": 1, "b": 1, "c": 1})
    after = chosen({"a": 2, "b": 1, "c": 1})
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {"a"}
    assert len(moved) / len(UNITS) == pytest.approx(1 / 6, abs=0.035)
