"""pass@k and pass^k."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats import repeats

VECTORS = json.loads((Path(__file__).parents[1] / "data/statistics_vectors.json").read_text())
TAU = VECTORS["pass_hat_k"]
TRIES = st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@pytest.mark.parametrize("case", VECTORS["pass_at_k"], ids=str)
def test_published_pass_at_k(case: dict[str, Any]) -> None:
    """Chen et al. 2021."""
    assert repeats.any_of_k(case["n"], case["c"], case["k"]) == pytest.approx(case["v"], abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_tau_bench_airline(k: int) -> None:
    """The published figures of gpt-4o, with their standard errors between tasks."""
    tasks = [(TAU["tries"], passes) for passes in TAU["passes_by_task"]]

    found = repeats.pass_hat_k(tasks, k)

    assert found.estimate.estimate == pytest.approx(TAU["published"][k - 1], abs=5e-4)
    assert found.estimate.se == pytest.approx(TAU["task_clustered_se"][k - 1], abs=5e-5)
    assert found.estimate.ci is not None
    assert found.estimate.ci[0] < TAU["published"][k - 1] < found.estimate.ci[1]
    assert (found.n_left_out, found.estimate.n_units) == (0, 50)
    assert (found.estimate.method, found.estimate.unit) == ("wilson_neff", "task")


@given(TRIES, st.integers(1, 8))
def test_the_formulas_count_subsets(tries: tuple[int, int], k: int) -> None:
    """Of all ways to take k of n tries: the share with a pass, the share of passes only."""
    n, c = tries
    taken = list(combinations([True] * c + [False] * (n - c), k))
    if not taken:
        assert repeats.any_of_k(n, c, k) is repeats.all_of_k(n, c, k) is None
        return

    assert repeats.any_of_k(n, c, k) == pytest.approx(
        float(Fraction(sum(map(any, taken)), len(taken)))
    )
    assert repeats.all_of_k(n, c, k) == pytest.approx(
        float(Fraction(sum(map(all, taken)), len(taken)))
    )


@given(st.lists(TRIES, max_size=12), st.integers(1, 5))
def test_calling_passes_failures_mirrors_both(tasks: list[tuple[int, int]], k: int) -> None:
    """pass^k of the failures is 1 - pass@k of the passes."""
    passed = repeats.pass_at_k(tasks, k)
    failed = repeats.pass_hat_k([(n, n - c) for n, c in tasks], k)

    assert passed.n_left_out == failed.n_left_out
    if passed.estimate.estimate is None or failed.estimate.estimate is None:
        assert passed.estimate == failed.estimate
        return
    assert passed.estimate.estimate == pytest.approx(1 - failed.estimate.estimate, abs=1e-12)
    if passed.estimate.ci and failed.estimate.ci:
        assert passed.estimate.ci == pytest.approx(
            (1 - failed.estimate.ci[1], 1 - failed.estimate.ci[0]), abs=1e-9
        )


@given(st.lists(TRIES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_tasks_changes_nothing(tasks: list[tuple[int, int]], random: Any) -> None:
    """Not even the last bit."""
    shuffled = tasks.copy()
    random.shuffle(shuffled)

    assert repeats.pass_hat_k(tasks, 2) == repeats.pass_hat_k(shuffled, 2)


@given(st.lists(TRIES, min_size=1, max_size=12))
def test_pass_hat_falls_and_pass_at_rises_with_k(tasks: list[tuple[int, int]]) -> None:
    """Where the same tasks count."""
    known = [(n, c) for n, c in tasks if n >= 3]
    hats = [repeats.pass_hat_k(known, k).estimate.estimate or 0 for k in (1, 2, 3)]
    ats = [repeats.pass_at_k(known, k).estimate.estimate or 0 for k in (1, 2, 3)]

    assert hats == sorted(hats, reverse=True)
    assert ats == sorted(ats)
    assert math.isclose(hats[0], ats[0], abs_tol=1e-12)


def test_tasks_with_too_few_tries_are_left_out_and_counted() -> None:
    """Never taken for a failure, never extrapolated."""
    found = repeats.pass_hat_k([(4, 4), (4, 0), (1, 1), (0, 0)], 2)

    assert (found.estimate.estimate, found.estimate.n_units, found.n_left_out) == (0.5, 2, 2)


def test_no_task_left_is_nothing_with_a_reason() -> None:
    """Not 0."""
    found = repeats.pass_at_k([(1, 1), (2, 0)], 3)

    assert found.estimate.estimate is None
    assert found.estimate.reason == "there are no values"
    assert found.n_left_out == 2


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0), (-1, 0, 1)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    """They are mistakes of the caller."""
    with pytest.raises(ValueError, match="tries"):
        repeats.all_of_k(n, c, k)


def test_importing_it_loads_no_scipy() -> None:
    """Which takes longer to import than a command should take to start."""
    code = "import sys, assay.stats.repeats; sys.exit('scipy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
