"""Quantiles of durations from their buckets."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats.durations import BASE, middle, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_US = 3_600_000_000


def bucket(us: int) -> int:
    """As the database does it."""
    return 1 + math.ceil(math.log(max(us, 1)) / math.log(BASE))


@given(
    st.lists(st.integers(1, 30 * 24 * HOUR_US), min_size=1, max_size=50),
    st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_a_quantile_is_within_five_percent(durations: Sequence[int], q: float) -> None:
    """Of the duration at that rank."""
    exact = sorted(durations)[max(1, math.ceil(q * len(durations))) - 1]
    found = quantile(Counter(map(bucket, durations)), q)
    assert found == pytest.approx(exact, rel=0.05)


def test_nothing_has_no_quantile() -> None:
    """Live runs, in bucket 0, are no durations."""
    assert quantile({}, 0.5) is None
    assert quantile({0: 7}, 0.5) is None


def test_the_database_has_the_same_buckets(assay_database: str) -> None:
    """From less than a microsecond to a month."""
    asked = [0, 1, 2, 3, 10, 999, 12_345, 10**6, 7 * 10**9, 30 * 24 * HOUR_US]
    with psycopg.connect(assay_database) as connection:
        rows = connection.execute(
            "SELECT assay.duration_bucket(u) FROM unnest(%s::bigint[]) AS u", (asked,)
        ).fetchall()
    assert [row[0] for row in rows] == [bucket(us) for us in asked]
    for us, (found,) in list(zip(asked, rows, strict=True))[1:]:
        assert middle(found) == pytest.approx(us, rel=0.05)
