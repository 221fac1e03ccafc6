"""Values of runs with what belongs together: rates and means whose intervals hold for clusters.

Runs of a session are alike, so a session is what varies on its own; a run without one stands alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.stats import clusters, intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from assay.stats.intervals import Estimate

LEAST_SESSIONS = 10
"""A key with fewer sessions than this doesn't group, unless there is no better one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Numbers of runs, each with its cluster.

    Attributes:
        values: shape (n,). `labels`: of their clusters, shape (n,).
        is_share: whether all are shares from 0 to 1.
        unit: what a cluster is: `session` or `run`.
    """

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    is_share: bool
    unit: str

    def estimate(self, chosen: NDArray[np.bool_] | None = None) -> Estimate:
        """The rate or mean of all of them, or of some."""
        values, labels = self.values, self.labels
        if chosen is not None:
            values, labels = values[chosen], labels[chosen]
        return _estimate(values, labels, is_share=self.is_share, unit=self.unit)

    def around(self, known: float, chosen: NDArray[np.bool_] | None = None) -> Estimate:
        """A rate or mean that is known of more runs than these, with the interval these give."""
        values, labels = self.values, self.labels
        if chosen is not None:
            values, labels = values[chosen], labels[chosen]
        arm = _arm(values, labels)
        return intervals.carried(known, arm, is_share=self.is_share, unit=self.unit)

    def share(self, chosen: NDArray[np.bool_]) -> Estimate:
        """The share of those that are chosen."""
        hits = chosen.astype(np.float64)
        return _estimate(hits, self.labels, is_share=True, unit=self.unit)


def _estimate(
    values: NDArray[np.float64], labels: NDArray[np.int64], *, is_share: bool, unit: str
) -> Estimate:
    make = intervals.clustered_proportion if is_share else intervals.clustered_mean
    return make(_arm(values, labels), unit=unit)


def _arm(values: NDArray[np.float64], labels: NDArray[np.int64]) -> clusters.Arm:
    found, place = np.unique(labels, return_inverse=True)
    counts = np.bincount(place, minlength=len(found)).astype(np.float64)
    sums = np.bincount(place, weights=values, minlength=len(found)).astype(np.float64)
    return clusters.Arm(labels=tuple(found.tolist()), sums=sums, counts=counts)


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Which cluster each of some runs is in, and the session key that says so, if one does."""

    labels: NDArray[np.int64]
    key: str | None

    @property
    def unit(self) -> str:
        """What a cluster is."""
        return "run" if self.key is None else "session"


def grouping(sessions: Sequence[str | None]) -> Grouping:
    """Groups runs by the sessions of one key; theirs are given as JSON text.

    Of the keys that most runs carry it takes the one with the fewest sessions that still are
    `LEAST_SESSIONS`: the coarsest grouping says least of what it can't know. Where none has so
    many, it takes the one with the most.
    """
    pairs: list[Mapping[str, str]] = [json.loads(text) if text else {} for text in sessions]
    ids: dict[str, set[str]] = defaultdict(set)
    carried: dict[str, int] = defaultdict(int)
    for of_run in pairs:
        for key, id_ in of_run.items():
            ids[key].add(id_)
            carried[key] += 1
    if not carried:
        return Grouping(np.arange(len(pairs)), None)
    most = max(carried.values())
    usual = sorted(key for key, n in carried.items() if n == most)
    enough = [key for key in usual if len(ids[key]) >= LEAST_SESSIONS]
    key = (
        min(enough, key=lambda one: len(ids[one]))
        if enough
        else max(usual, key=lambda one: len(ids[one]))
    )
    known: dict[str, int] = {}
    labels = [
        known.setdefault(of_run[key], len(known)) if key in of_run else len(pairs) + place
        for place, of_run in enumerate(pairs)
    ]
    return Grouping(np.asarray(labels, dtype=np.int64), key)
