"""pass@k and pass^k: tasks that were tried several times, and passed some of them.

pass@k is the chance that at least one of k tries passes (Chen et al. 2021, arXiv:2107.03374),
pass^k that all of them do (Yao et al. 2024, arXiv:2406.12045). Both are estimated within each
task, without bias, from n >= k tries, never extrapolated, and averaged over tasks; the task is
what varies on its own, so the standard error is that between tasks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.stats import clusters, intervals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A pass@k or pass^k with its interval.

    Attributes:
        k: how many tries.
        estimate: the mean over the tasks that have at least k tries.
        n_left_out: how many tasks have fewer, and so don't count.
    """

    k: int
    estimate: intervals.Estimate
    n_left_out: int


def any_of_k(n: int, c: int, k: int) -> float | None:
    """The chance that k of n tries, c of which passed, hold a pass: `1 - C(n-c, k) / C(n, k)`.

    None for fewer than k tries; a ValueError for numbers that can't be.
    """
    _check(n, c, k)
    return None if n < k else 1 - math.comb(n - c, k) / math.comb(n, k)


def all_of_k(n: int, c: int, k: int) -> float | None:
    """The chance that k of n tries, c of which passed, are all passes: `C(c, k) / C(n, k)`.

    None for fewer than k tries; a ValueError for numbers that can't be.
    """
    _check(n, c, k)
    return None if n < k else math.comb(c, k) / math.comb(n, k)


def pass_at_k(
    tasks: Iterable[tuple[int, int]], k: int, *, alpha: float = intervals.ALPHA
) -> Repeated:
    """pass@k over tasks, each given by its number of tries and of passes."""
    return _over_tasks(any_of_k, tasks, k, alpha)


def pass_hat_k(
    tasks: Iterable[tuple[int, int]], k: int, *, alpha: float = intervals.ALPHA
) -> Repeated:
    """pass^k over tasks, each given by its number of tries and of passes."""
    return _over_tasks(all_of_k, tasks, k, alpha)


def _over_tasks(
    of_task: Callable[[int, int, int], float | None],
    tasks: Iterable[tuple[int, int]],
    k: int,
    alpha: float,
) -> Repeated:
    chances = [of_task(n, c, k) for n, c in tasks]
    known = [chance for chance in chances if chance is not None]
    arm = clusters.from_sums(range(len(known)), known, [1] * len(known))
    estimate = intervals.clustered_proportion(arm, alpha=alpha, unit="task")
    return Repeated(k=k, estimate=estimate, n_left_out=len(chances) - len(known))


def _check(n: int, c: int, k: int) -> None:
    if not (0 <= c <= n and k >= 1):
        raise ValueError(f"{c} passes of {n} tries, {k} at a time")
