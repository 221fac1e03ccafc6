"""What simulated experiments came to, and what chance allows of a promise that holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtrik, ndtri
from typing_extensions import override

from assay.experiments.verdict import standing
from assay.model.experiments import Mode
from assay.model.looks import Look, Word
from assay.stats.intervals import t_critical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulation.pipe import Looks

CHANCE = 1e-3
"""A promise that just holds is called broken as rarely as that."""
ALPHA = 0.05
SHOWN = (Word.BETTER, Word.WORSE)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of n experiments.

    Whether a share keeps a limit is judged by the binomial distribution of the count were the
    limit the truth: a count beyond its 1 - CHANCE quantile says that the promise is broken.
    """

    count: int
    n: int

    @property
    def percent(self) -> float:
        """Of all."""
        return 100 * self.count / self.n

    def is_at_most(self, limit: float) -> bool:
        """Whether the count could be chance were the truth *limit*."""
        return self.count <= _quantile(1 - CHANCE, self.n, limit)

    def is_at_least(self, limit: float) -> bool:
        """The same from the other side."""
        return self.n - self.count <= _quantile(1 - CHANCE, self.n, 1 - limit)

    @override
    def __str__(self) -> str:
        return f"{self.percent:.1f} %"


def share(found: Iterable[bool]) -> Share:
    """How many of them."""
    each = list(found)
    return Share(sum(each), len(each))


def is_unbiased(estimates: Sequence[float], truth: float) -> bool:
    """Whether the mean of so many estimates is the truth as far as chance (CHANCE) can tell."""
    found = np.asarray(estimates)
    error = found.std(ddof=1) / math.sqrt(len(found))
    return bool(abs(found.mean() - truth) <= -ndtri(CHANCE / 2) * error)


def of(looks: Sequence[Looks], mode: Mode, variant: str = "v1") -> list[list[Look]]:
    """Each experiment's looks at a variant in a mode."""
    return [one.get((mode, variant), []) for one in looks]


def crossing(looks: Sequence[Look]) -> Look | None:
    """The first look of which the interval excludes no difference."""
    return next((one for one in looks if one.ci and not one.ci[0] <= 0 <= one.ci[1]), None)


def crossed(looks: Sequence[Looks], mode: Mode, variants: Sequence[str] = ("v1",)) -> Share:
    """How many experiments ever crossed, for any of the variants."""
    return share(
        any(crossing(one.get((mode, variant), [])) for variant in variants) for one in looks
    )


def shown(looks: Sequence[Looks], mode: Mode, words: Sequence[Word] = SHOWN) -> Share:
    """How many experiments came to one of the words."""
    return share(standing(one).word in words for one in of(looks, mode))


def naive(looks: Sequence[Looks]) -> Share:
    """How many are ever shown by 1.96 standard errors, as if each look were the only one."""
    return share(
        any(
            abs(look.estimate) > 1.96 * look.se
            for look in one
            if look.estimate is not None and look.se is not None
        )
        for one in of(looks, Mode.ANYTIME)
    )


def fixed_covers(looks: Sequence[Looks], truth: float) -> Share:
    """How many textbook intervals of the last look hold the truth."""
    found: list[bool] = []
    for one in of(looks, Mode.ANYTIME):
        last = _last(one)
        if last is not None and last.estimate is not None and last.se is not None:
            assert last.df is not None
            half = t_critical(ALPHA, last.df) * last.se
            found.append(abs(last.estimate - truth) <= half)
    return share(found)


def covers_at_stopping(looks: Sequence[Looks], truth: float) -> Share:
    """How many planned intervals hold the truth where the experiment ends: crossed, or over."""
    ends = [crossing(one) or _last(one) for one in of(looks, Mode.PLANNED)]
    return share(end.ci[0] <= truth <= end.ci[1] for end in ends if end is not None and end.ci)


def anytime_covers(looks: Sequence[Looks], truth: float) -> tuple[Share, Share]:
    """How many anytime intervals hold the truth: of all days', and of all experiments' on all."""
    each = [
        [look.ci[0] <= truth <= look.ci[1] for look in one if look.ci]
        for one in of(looks, Mode.ANYTIME)
    ]
    return share(day for one in each for day in one), share(all(one) for one in each)


def _last(looks: Sequence[Look]) -> Look | None:
    return next((one for one in reversed(looks) if one.tested), None)


def _quantile(level: float, n: int, p: float) -> float:
    """The least count that Binomial(n, p) stays at or below with so much probability."""
    return math.ceil(float(bdtrik(level, n, p)) - 1e-9)
