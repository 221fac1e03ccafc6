"""Shares of failed runs that are known of more runs than are looked at."""

from __future__ import annotations

import pytest

from assay.scoring.failures import Ended
from assay.stats import clusters, intervals
from assay.store.activity import EndedRun

ROWS = [
    EndedRun(
        app="app",
        fn="usual" if place % 4 else "rare",
        is_failed=place % 12 < 3,
        sessions=f'{{"ticket": "{place % 12}"}}',
    )
    for place in range(48)
]


def ended(*, is_sampled: bool) -> Ended:
    """Runs of twelve sessions, each of which fails whole or not at all."""
    return Ended(ROWS, is_sampled=is_sampled)


def test_some_runs_give_the_interval_of_all() -> None:
    """Around the share that was counted, as wide as their sessions make it."""
    share = ended(is_sampled=True).share(300, 1_000)
    arm = clusters.by_cluster(
        [float(row.is_failed) for row in ROWS], [row.sessions for row in ROWS]
    )
    assert share == intervals.carried(0.3, arm, is_share=True, unit="session")
    assert share.n_units == 12


def test_a_function_that_is_not_among_them_has_no_interval() -> None:
    """Its share is known all the same."""
    share = ended(is_sampled=True).share(1, 4, function=("app", "another"))
    assert (share.estimate, share.ci) == (0.25, None)
    assert share.reason is not None


def test_all_runs_are_counted_themselves() -> None:
    """Of a function as of all."""
    share = ended(is_sampled=False).share(4, 12, function=("app", "rare"))
    assert share.estimate == pytest.approx(1 / 3)
    assert share.n_units == 3


def test_what_all_functions_share_does_not_make_one_session_of_them() -> None:
    """Each function has its own key: a session of all says nothing of how they vary."""
    rows = [
        EndedRun(
            app="app",
            fn=key,
            is_failed=place % 7 == 0,
            sessions=f'{{"all": "one", "{key}": "{place % 20}"}}',
        )
        for key in ("task", "account")
        for place in range(60)
    ]
    found = Ended(rows, is_sampled=False)
    assert found.share(18, 120).n_units == 40
    assert found.share(9, 60, function=("app", "task")).n_units == 20
