"""Values that come in clusters: their mean as a ratio, and its variance between clusters.

A cluster is what varies on its own: the unit that was assigned to a variant, the task that was
repeated. With sums Y_g of n_g values in cluster g, the mean is R = ΣY_g / Σn_g. Sums are made
without rounding (`math.fsum`), so the order of the values never changes a result.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """The values of one arm, summed by cluster. Clusters without values are left out.

    Attributes:
        labels: of G clusters, each once.
        sums: of the values, shape (G,).
        counts: of the values, shape (G,), all above 0.
    """

    labels: tuple[Hashable, ...]
    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def n_clusters(self) -> int:
        """How many clusters have values."""
        return len(self.labels)

    @property
    def n_values(self) -> float:
        """How many values there are."""
        return math.fsum(self.counts)

    @property
    def mean(self) -> float:
        """ΣY_g / Σn_g; a ZeroDivisionError without values."""
        return math.fsum(self.sums) / self.n_values

    @property
    def effective_clusters(self) -> float:
        """(Σn_g)² / Σn_g²: as many clusters of equal size would tell as much (Kish 1965)."""
        return self.n_values**2 / math.fsum(self.counts**2)


def by_cluster(values: Iterable[float], clusters: Iterable[Hashable]) -> Arm:
    """The arm of values, each with the label of its cluster; a ValueError for unequal lengths."""
    members: dict[Hashable, list[float]] = {}
    for value, label in zip(values, clusters, strict=True):
        members.setdefault(label, []).append(float(value))
    return from_sums(
        list(members),
        [math.fsum(of_one) for of_one in members.values()],
        [len(of_one) for of_one in members.values()],
    )


def from_sums(labels: Sequence[Hashable], sums: Sequence[float], counts: Sequence[float]) -> Arm:
    """The arm of clusters that are already summed, as a database gives them.

    Raises:
        ValueError: if the lengths differ, a label repeats or a count is negative.
    """
    import numpy as np  # noqa: PLC0415 - dear to import, rarely needed

    if not len(labels) == len(set(labels)) == len(sums) == len(counts):
        raise ValueError("labels must differ, and have one sum and one count each")
    sizes = np.asarray(counts, dtype=np.float64)
    if sizes.size and sizes.min() < 0:
        raise ValueError("a count is negative")
    used = sizes > 0
    return Arm(
        labels=tuple(itertools.compress(labels, used)),
        sums=np.asarray(sums, dtype=np.float64)[used],
        counts=sizes[used],
    )


def influence(arm: Arm, *, leverage: bool = True) -> NDArray[np.float64]:
    """What each cluster adds to the error of the mean, shape (G,): V = Σψ_g².

    `ψ_g = (Y_g - R n_g) / (S sqrt(1 - n_g / S))` with `S = Σn_g`: the linearised ratio with the
    CR2 correction (Bell and McCaffrey 2002). Without `leverage` the square root is left out,
    which is CR0, too small for few clusters.

    Raises:
        ValueError: for a single cluster, which tells nothing of the variation between clusters.
    """
    import numpy as np  # noqa: PLC0415 - dear to import, rarely needed

    if leverage and arm.n_clusters == 1:
        raise ValueError("one cluster tells nothing of the variation between clusters")
    total = arm.n_values
    errors = (arm.sums - arm.mean * arm.counts) / total
    return errors / np.sqrt(1 - arm.counts / total) if leverage else errors


def variance(arm: Arm) -> float:
    """V of an arm's mean (CR2)."""
    return math.fsum(influence(arm) ** 2)


def difference_variance(control: Arm, treatment: Arm) -> float:
    """V of treatment minus control (CR2). A cluster with values in both arms counts once, net."""
    net: dict[Hashable, float] = dict(zip(control.labels, -influence(control), strict=True))
    for label, part in zip(treatment.labels, influence(treatment), strict=True):
        net[label] = net.get(label, 0.0) + part
    return math.fsum(part**2 for part in net.values())


def difference_df(control: Arm, treatment: Arm) -> float:
    """Degrees of freedom: V² / Σ_a V_a² / (Geff_a - 1), after Satterthwaite 1946.

    V is the whole variance, V_a that of an arm. An arm without variance adds nothing; infinite
    where neither has any.
    """
    whole = difference_variance(control, treatment)
    # Where one cluster outweighs all others, its arm has none; rounding must not make that 0 / 0.
    parts = [
        variance(arm) ** 2 / max(arm.effective_clusters - 1, 1e-300) for arm in (control, treatment)
    ]
    return whole**2 / math.fsum(parts) if any(parts) else math.inf
