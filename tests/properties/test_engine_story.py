"""However replay, retry, crash and duplicate event interleave: one journal, one set of scores."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from properties.engine_story import STEPS, Attempts, Crash, Ending, expected, live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.testing import Databases

ALIVE = Crash(0, is_before=False)
CRASHES = st.builds(Crash, st.integers(0, 6), st.booleans())


def check(ending: Ending, attempts: Attempts) -> None:
    """The ending is the only one there is; each attempt that ended scored and sent once."""
    assert ending == expected()
    assert attempts.scored == attempts.ended
    assert attempts.sent == len(attempts.ended)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    failing=st.lists(st.booleans(), min_size=STEPS, max_size=STEPS),
    crashes=st.lists(CRASHES, min_size=4, max_size=4),
    copies=st.integers(0, 2),
)
def test_whatever_happens_on_the_way_the_end_is_the_same(
    assay_databases: Databases, failing: Sequence[bool], crashes: Sequence[Crash], copies: int
) -> None:
    """Each memo, score, child, promise and event is there exactly once."""
    with assay_databases.new() as url:
        check(*asyncio.run(live(url, failing=failing, crashes=crashes, copies=copies)))


@pytest.mark.parametrize("is_before", [False, True])
@pytest.mark.parametrize("commit", range(1, 11))
def test_a_crash_at_any_commit_changes_nothing(
    assay_databases: Databases, commit: int, *, is_before: bool
) -> None:
    """Right after it, or instead of it, with a step that fails once."""
    failing = (False, True, False)
    crashes = (Crash(commit, is_before=is_before), ALIVE, ALIVE, ALIVE)
    with assay_databases.new() as url:
        check(*asyncio.run(live(url, failing=failing, crashes=crashes, copies=0)))
